// The files that a Client can have: search, order, details, and the way to a link.

import { h } from "../../vendor/preact.mjs";
import { useState } from "../../vendor/preact-hooks.mjs";
import { Digest, FileKind, Time } from "../components/file.mjs";
import { Icon } from "../components/icon.mjs";
import { LinkDialog } from "../components/link-dialog.mjs";
import { Empty, ListEnd, useList } from "../components/list.mjs";
import { Page } from "../components/page.mjs";
import { Facts, OpenRow } from "../components/row.mjs";
import { NoneFound, Search, useSearch } from "../components/search.mjs";
import { Select } from "../components/select.mjs";
import { Head, Table } from "../components/table.mjs";
import { size, wholeMoment } from "../format.mjs";
import { texts } from "../texts.mjs";

/**
 * @typedef {import("../contract.d.ts").FileSummary} FileSummary
 * @typedef {import("preact").ComponentChildren} Children
 */

const NEWEST = "-uploaded_at";

/** @param {import("../views.mjs").ViewProps} props */
export function View({ query, account }) {
  const words = texts.files;
  const [sort, setSort] = useState(query.get("sort") ?? NEWEST);
  const [seen] = useState(() => seenBefore(account?.id ?? ""));
  const [linking, setLinking] = useState(/** @type {FileSummary | null} */ (null));
  const search = useSearch("/files", query, { sort: sort === NEWEST ? "" : sort });
  /** @type {ReturnType<typeof useList<FileSummary>>} */
  const list = useList("api/files/list", search.sought);

  const { items, state } = list;
  const isNew = (/** @type {FileSummary} */ file) => seen !== "" && file.uploaded_at > seen;
  const fresh = items.filter(isNew).length;
  const counted = state === "ready" && items.length > 0 && words.count(items.length, list.cursor !== "", fresh);
  const columns = [
    h(SortHead, { sort, setSort, by: "filename", first: "filename" }, words.name),
    h(Head, { kind: "r" }, words.size),
    words.from,
    h(SortHead, { sort, setSort, by: "uploaded_at", first: NEWEST }, words.added),
  ];
  return h(
    Page,
    { title: words.title, lead: words.lead },
    h(
      Search,
      { search, label: words.search, hint: words.searchHint, count: counted },
      // On narrow screens, where there are no headers to press.
      h("div", { class: "only-small" }, h(Select, { id: "sort", label: words.sortBy, value: sort, options: words.sorts, onChange: setSort })),
    ),
    items.length > 0 &&
      h(
        Table,
        { caption: words.caption, columns, action: words.action },
        items.map((file) => h(Row, { key: file.id, file, isNew: isNew(file), getLink: setLinking })),
      ),
    h(ListEnd, { list }, search.sought.q ? h(NoneFound, { search }) : h(Empty, { title: words.noneTitle, text: words.none })),
    linking && h(LinkDialog, { file: linking, onClose: () => setLinking(null) }),
  );
}

/** @typedef {{sort: string, setSort: (sort: string) => void}} Sorting */

/**
 * A header that sorts: the first press in the order `first`, the next one the other way.
 * @param {Sorting & {by: string, first: string, children?: Children}} props
 */
function SortHead({ sort, setSort, by, first, children }) {
  const sorted = sort.replace("-", "") === by;
  const descending = sort.startsWith("-");
  const direction = descending ? "descending" : "ascending";
  const press = () => setSort(sorted ? (descending ? by : `-${by}`) : first);
  return h(
    Head,
    sorted ? { sorted: direction } : null,
    h(
      "button",
      { class: "sort", type: "button", onClick: press },
      children,
      h(Icon, { name: sorted && !descending ? "sortUp" : "sort" }),
    ),
  );
}

/** @param {{file: FileSummary, isNew: boolean, getLink: (file: FileSummary) => void}} props */
function Row({ file, isNew, getLink }) {
  const words = texts.files;
  const { id, filename, uploaded_by: by, uploaded_at: at } = file;
  const name = h("bdi", { class: "name" }, filename);
  const narrow = [h("span", null, size(file.size)), h("span", null, by), h("span", null, h(Time, { at, capitalized: true }))];
  const cells = (/** @type {Children} */ toggle) => [
    h(
      "td",
      { role: "cell" },
      h(
        "div",
        { class: "fcell" },
        toggle,
        h(FileKind, { filename }),
        h("div", null, name, isNew && [" ", h("span", { class: "new" }, words.isNew)], h("span", { class: "meta sm" }, narrow)),
      ),
    ),
    h("td", { role: "cell", class: "r lg nowrap" }, size(file.size)),
    h("td", { role: "cell", class: "lg" }, h("bdi", null, by)),
    h("td", { role: "cell", class: "lg nowrap" }, h(Time, { at, capitalized: true })),
    h(
      "td",
      { role: "cell", class: "act" },
      h(
        "button",
        { class: "btn btn-s row-act", type: "button", onClick: () => getLink(file) },
        words.getLink,
        h("span", { class: "vh" }, words.getLinkTo(filename)),
      ),
    ),
  ];
  return h(OpenRow, { id, label: words.details(filename), columns: 5, cells }, h(Details, { file }));
}

/** @param {{file: FileSummary}} props */
function Details({ file }) {
  const words = texts.files;
  /** @type {import("../components/row.mjs").Fact[]} */
  const facts = [
    [words.name, h("bdi", null, file.filename)],
    [words.added, wholeMoment(file.uploaded_at)],
    [words.exactSize, words.bytes(file.size)],
    [words.digest, h(Digest, { digest: file.sha256 })],
  ];
  return h("div", { class: "more-in" }, h(Facts, { facts }));
}

/**
 * When this list was looked at before this visit, which a reload does not end; empty the first time.
 * @param {string} account
 */
function seenBefore(account) {
  const key = `files-seen-${account}`;
  const before = sessionStorage.getItem(key) ?? localStorage.getItem(key) ?? "";
  sessionStorage.setItem(key, before);
  localStorage.setItem(key, new Date().toISOString());
  return before;
}

