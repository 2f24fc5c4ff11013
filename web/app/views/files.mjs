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
  return h(
    Page,
    { title: words.title, lead: words.lead },
    h(
      Search,
      { search, label: words.search, hint: words.searchHint, count: counted },
      h(SortSelect, { sort, setSort }),
    ),
    items.length > 0 && h(Table, { items, sort, setSort, isNew, getLink: setLinking }),
    h(ListEnd, { list }, search.sought.q ? h(NoneFound, { search }) : h(Empty, { title: words.noneTitle, text: words.none })),
    linking && h(LinkDialog, { file: linking, onClose: () => setLinking(null) }),
  );
}

/** @typedef {{sort: string, setSort: (sort: string) => void}} Sorting */

/** On narrow screens, where there are no headers to press. @param {Sorting} props */
function SortSelect({ sort, setSort }) {
  const words = texts.files;
  return h(
    "div",
    { class: "field only-small" },
    h("label", { for: "sort" }, words.sortBy),
    h(
      "span",
      { class: "sel" },
      h(
        "select",
        {
          class: "select",
          id: "sort",
          value: sort,
          onChange: (/** @type {Event} */ event) =>
            setSort(/** @type {HTMLSelectElement} */ (event.currentTarget).value),
        },
        Object.entries(words.sorts).map(([value, text]) => h("option", { key: value, value }, text)),
      ),
      h(Icon, { name: "down" }),
    ),
  );
}

/**
 * @param {Sorting & {items: FileSummary[], isNew: (file: FileSummary) => boolean,
 *   getLink: (file: FileSummary) => void}} props
 */
function Table({ items, sort, setSort, isNew, getLink }) {
  const words = texts.files;
  const head = { sort, setSort };
  return h(
    "table",
    { class: "t", role: "table" },
    h("caption", { class: "vh" }, words.caption),
    h(
      "thead",
      { role: "rowgroup" },
      h(
        "tr",
        { role: "row" },
        h(Head, { ...head, by: "filename", first: "filename" }, words.name),
        h("th", { role: "columnheader", scope: "col", class: "r" }, words.size),
        h("th", { role: "columnheader", scope: "col" }, words.from),
        h(Head, { ...head, by: "uploaded_at", first: NEWEST }, words.added),
        h("th", { role: "columnheader", scope: "col", class: "act" }, h("span", { class: "vh" }, words.action)),
      ),
    ),
    h(
      "tbody",
      { role: "rowgroup" },
      items.map((file) => h(Row, { key: file.id, file, isNew: isNew(file), getLink })),
    ),
  );
}

/**
 * A header that sorts: the first press in the order `first`, the next one the other way.
 * @param {Sorting & {by: string, first: string, children?: import("preact").ComponentChildren}} props
 */
function Head({ sort, setSort, by, first, children }) {
  const sorted = sort.replace("-", "") === by;
  const descending = sort.startsWith("-");
  const direction = descending ? "descending" : "ascending";
  const press = () => setSort(sorted ? (descending ? by : `-${by}`) : first);
  return h(
    "th",
    { role: "columnheader", scope: "col", "aria-sort": sorted ? direction : undefined },
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

