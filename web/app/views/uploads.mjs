// The files of an Ops account: what became of each, its details, and deleting it.

import { h } from "../../vendor/preact.mjs";
import { useEffect, useState } from "../../vendor/preact-hooks.mjs";
import { Button } from "../components/button.mjs";
import { Confirm } from "../components/confirm.mjs";
import { Digest, FileKind, Time } from "../components/file.mjs";
import { Icon } from "../components/icon.mjs";
import { Empty, ListEnd, useList } from "../components/list.mjs";
import { Page } from "../components/page.mjs";
import { Facts, OpenRow } from "../components/row.mjs";
import { NoneFound, Search, useSearch } from "../components/search.mjs";
import { State } from "../components/state.mjs";
import { Head, Table } from "../components/table.mjs";
import { TermsDialog } from "../components/terms.mjs";
import { toast } from "../components/toast.mjs";
import { capital, day, size, wholeMoment } from "../format.mjs";
import { address } from "../router.mjs";
import { call, callForJson } from "../session.mjs";
import { texts } from "../texts.mjs";
import * as transfers from "../transfers.mjs";

/**
 * @typedef {import("../contract.d.ts").FileDetails} FileDetails
 * @typedef {import("preact").ComponentChildren} Children
 */

/** The milliseconds between two looks at files that are being checked. */
const LOOK_AGAIN = 2000;
/** A file that leaves within two days is marked. */
const SOON = 2 * 86_400_000;

const SIGNS = {
  uploading: ["up", ""],
  checking: ["ring", ""],
  available: ["dot", "state-live"],
  soon: ["alert", "state-warn"],
  expired: ["clock", "state-off"],
  rejected: ["alert", "state-bad"],
  deleted: ["slash", "state-off"],
};

/** @param {import("../views.mjs").ViewProps} props */
export function View({ query }) {
  const words = texts.uploads;
  const search = useSearch("/uploads", query);
  const [deleting, setDeleting] = useState(/** @type {FileDetails | null} */ (null));
  const [changing, setChanging] = useState(/** @type {FileDetails | null} */ (null));
  /** @type {ReturnType<typeof useList<FileDetails>>} */
  const list = useList("api/files/uploaded", search.sought);
  const { items, state } = list;
  useChecks(list);

  const remove = async () => {
    if (!deleting) return;
    await call("DELETE", `api/files/${deleting.id}`);
    list.change((files) => files.filter(({ id }) => id !== deleting.id));
    setDeleting(null);
    toast(deleting.state === "uploading" ? texts.cancelUpload.done : texts.deleteFile.done);
  };
  const onChanged = (/** @type {FileDetails} */ file) => {
    list.change((files) => files.map((it) => (it.id === file.id ? file : it)));
    setChanging(null);
    toast(texts.changeTerms.done);
  };
  const upload = h("a", { class: "btn primary", href: address("/upload") }, h(Icon, { name: "up" }), words.upload);
  const counted = state === "ready" && items.length > 0 && words.count(items.length, list.cursor !== "");
  const downloads = h(Head, { kind: "r" }, words.downloads);
  return h(
    Page,
    { title: words.title, lead: words.lead, actions: upload },
    h(Search, { search, label: words.search, hint: words.searchHint, count: counted }),
    items.length > 0 &&
      h(
        Table,
        { caption: words.caption, columns: [words.name, words.sharedWith, words.state, downloads, words.added], action: words.action },
        items.map((file) => h(Row, { key: file.id, file, change: setChanging, remove: setDeleting })),
      ),
    h(ListEnd, { list }, search.sought.q ? h(NoneFound, { search }) : h(Empty, { title: words.noneTitle, text: words.noFiles })),
    changing && h(TermsDialog, { file: changing, onChanged, onClose: () => setChanging(null) }),
    deleting && h(Confirm, { ...question(deleting), act: remove, onClose: () => setDeleting(null) }),
  );
}

/** Asks about the files that are on their way, until none is. @param {ReturnType<typeof useList<FileDetails>>} list */
function useChecks(list) {
  const moving = list.items.filter(({ state }) => state === "checking" || state === "uploading");
  const ids = moving.map(({ id }) => id).join(" ");
  const [looks, setLooks] = useState(0);
  useEffect(() => {
    if (!ids) return undefined;
    const look = async () => {
      const asked = ids.split(" ").map((id) => callForJson("GET", `api/files/${id}`));
      /** @type {Map<string, FileDetails>} */
      const now = new Map();
      for (const answer of await Promise.allSettled(asked))
        if (answer.status === "fulfilled") now.set(answer.value.id, answer.value);
      list.change((files) => files.map((file) => now.get(file.id) ?? file));
      setLooks((count) => count + 1);
    };
    const timer = setTimeout(look, LOOK_AGAIN);
    return () => clearTimeout(timer);
  }, [ids, looks]);
}

/** What is said about a file's state. @param {FileDetails} file @returns {keyof typeof SIGNS} */
function stateOf({ state, expires_at: end }) {
  if (state !== "available" || !end) return state;
  const left = Date.parse(end) - Date.now();
  return left <= 0 ? "expired" : left < SOON ? "soon" : "available";
}

/** @param {FileDetails} file */
function recipientsOf({ recipients }) {
  const words = texts.uploads;
  if (recipients === "everyone") return words.everyone;
  const [first, ...others] = recipients;
  return first === undefined ? words.nobody : words.others(first, others.length);
}

/** @typedef {{file: FileDetails, change: (file: FileDetails) => void, remove: (file: FileDetails) => void}} RowProps */

/** @param {RowProps} props */
function Row({ file, change, remove }) {
  const words = texts.uploads;
  const { id, filename, created_at: at } = file;
  const state = stateOf(file);
  const label = h(State, { sign: SIGNS[state] }, words.states[state]);
  // What is imported has no size until it is fetched, and is sent by nobody here.
  const unsent = state === "uploading" && file.size !== null && !transfers.list().some((it) => it.id === id);
  const when = unsent ? words.unsent : file.expires_at && state !== "rejected" && words.until(day(file.expires_at));
  const why = state === "rejected" && file.reason && capital(texts.rejection(file.reason));
  const bytes = file.size === null ? words.sizeUnknown : size(file.size);
  const who = h("bdi", null, recipientsOf(file));
  const narrow = [
    h("span", null, label, when && ` ${when}`),
    h("span", null, words.downloaded(file.downloads)),
    h("span", null, who),
  ];
  const cells = (/** @type {Children} */ toggle) => [
    h(
      "td",
      { role: "cell" },
      h(
        "div",
        { class: "fcell" },
        toggle,
        h(FileKind, { filename }),
        h(
          "div",
          null,
          h("bdi", { class: "name" }, filename),
          h("span", { class: "sub" }, bytes),
          why && h("span", { class: "sub any" }, why),
          h("span", { class: "meta sm" }, narrow),
        ),
      ),
    ),
    h("td", { role: "cell", class: "lg any" }, who),
    h("td", { role: "cell", class: "lg nowrap" }, label, when && h("span", { class: "sub" }, when)),
    h("td", { role: "cell", class: "r lg" }, file.downloads.toLocaleString(texts.language)),
    h("td", { role: "cell", class: "lg nowrap" }, h(Time, { at, capitalized: true })),
    h(
      "td",
      { role: "cell", class: "act" },
      h(
        "a",
        { class: "btn btn-s row-act", href: address("/receipts", { file: id }) },
        words.receipts,
        h("span", { class: "vh" }, words.receiptsOf(filename)),
      ),
    ),
  ];
  return h(OpenRow, { id, label: words.details(filename), columns: 6, cells }, h(Details, { file, change, remove }));
}

/** @param {RowProps} props */
function Details({ file, change, remove }) {
  const words = texts.uploads;
  const { recipients, reason, note, size: bytes, sha256, expires_at: end } = file;
  const names = typeof recipients === "string" ? words.everyone : recipients.join(", ") || words.nobody;
  /** @type {import("../components/row.mjs").Fact[]} */
  const facts = [
    [words.name, h("bdi", null, file.filename)],
    reason && [words.reason, capital(texts.rejection(reason))],
    [words.sharedWith, h("bdi", null, names)],
    [words.end, end ? wholeMoment(end) : words.noEnd],
    [words.note, note ? h("bdi", null, note) : words.noNote],
    [words.mail, file.notify ? words.mailYes : words.mailNo],
    [words.links, file.links.toLocaleString(texts.language)],
    [words.added, wholeMoment(file.created_at)],
    bytes !== null && [texts.files.exactSize, texts.files.bytes(bytes)],
    sha256 && [texts.files.digest, h(Digest, { digest: sha256 })],
  ];
  return h(
    "div",
    { class: "more-in" },
    h(Facts, { facts }),
    h(
      "div",
      { class: "acts gap-s flush" },
      file.state !== "rejected" && h(Button, { kind: "btn-s quiet", onClick: () => change(file) }, texts.changeTerms.open),
      h(Button, { kind: "btn-s quiet-danger", onClick: () => remove(file) }, file.state === "uploading" ? texts.cancelUpload.submit : words.remove),
    ),
  );
}

/** What is asked before a file is deleted. @param {FileDetails} file */
function question(file) {
  if (file.state === "uploading") return { ...texts.cancelUpload, sub: file.filename, icons: ["x", "info"] };
  const { title, seen, links, copies, receipts, final, keep, submit, busy: busyText } = texts.deleteFile;
  const { filename, size: bytes } = file;
  const sub = bytes === null ? filename : `${filename}, ${size(bytes)}`;
  const lines = [seen(recipientsOf(file)), links(file.links), copies(file.downloads), receipts, final];
  return { title, sub, lines, icons: ["slash", "x", "download", "shield", "info"], keep, submit, busyText };
}
