// What happened to the links to a file: its receipts as a timeline for each link.

import { h } from "../../vendor/preact.mjs";
import { useEffect, useState } from "../../vendor/preact-hooks.mjs";
import { Problem } from "../api.mjs";
import { Icon } from "../components/icon.mjs";
import { Empty, ListEnd, useList } from "../components/list.mjs";
import { ProblemNote } from "../components/note.mjs";
import { Page } from "../components/page.mjs";
import { Facts } from "../components/row.mjs";
import { day, size, wholeMoment } from "../format.mjs";
import { address } from "../router.mjs";
import { callForJson } from "../session.mjs";
import { texts } from "../texts.mjs";

/**
 * @typedef {import("../contract.d.ts").FileDetails} FileDetails
 * @typedef {import("../contract.d.ts").Receipt} Receipt
 * @typedef {import("../contract.d.ts").ReceiptEntry} ReceiptEntry
 */

/** The colour of the point of a receipt. @type {Record<string, string>} */
const KINDS = { completed: "k-ok", broken_off: "k-warn", revoked: "k-bad" };

/** @param {import("../views.mjs").ViewProps} props */
export function View({ query }) {
  const words = texts.receipts;
  const id = encodeURIComponent(query.get("file") ?? "");
  const [file, setFile] = useState(/** @type {FileDetails | null} */ (null));
  const [problem, setProblem] = useState(/** @type {Problem | null} */ (null));
  /** @type {ReturnType<typeof useList<ReceiptEntry>>} */
  const list = useList(`api/files/${id}/receipts`);
  useEffect(() => {
    callForJson("GET", `api/files/${id}`).then(
      (answer) => setFile(/** @type {FileDetails} */ (answer)),
      (error) => {
        if (!(error instanceof Problem)) throw error;
        setProblem(error);
      },
    );
  }, [id]);
  const facts = file && [
    file.size !== null && h("span", null, size(file.size)),
    h("span", null, words.uploaded(day(file.created_at))),
    file.expires_at && h("span", null, words.until(wholeMoment(file.expires_at))),
  ];
  return h(
    Page,
    { title: file?.filename ?? texts.uploads.receipts, lead: words.lead },
    h("nav", { class: "crumb", "aria-label": words.where }, h("a", { href: address("/uploads") }, words.back)),
    facts && h("p", { class: "meta" }, facts),
    problem && h(ProblemNote, { problem }),
    byLink(list.items).map((entries, at) => h(Chain, { key: at, number: at + 1, entries })),
    !problem && h(ListEnd, { list }, h(Empty, { title: words.noneTitle, text: words.none })),
  );
}

/**
 * The receipts of each link, in the order of the answer. One that cannot be read belongs to the link of
 * the one before.
 * @param {ReceiptEntry[]} entries
 */
function byLink(entries) {
  /** @type {ReceiptEntry[][]} */
  const links = [];
  let before = "";
  for (const entry of entries) {
    const link = entry.receipt?.link ?? before;
    if (links.length === 0 || link !== before) links.push([]);
    links.at(-1)?.push(entry);
    before = link;
  }
  return links;
}

/** @param {{number: number, entries: ReceiptEntry[]}} props */
function Chain({ number, entries }) {
  const words = texts.receipts;
  const created = entries.find(({ receipt }) => receipt?.event === "created")?.receipt;
  const heading = `chain-${number}`;
  return h(
    "section",
    { class: "chain", "aria-labelledby": heading },
    h(
      "div",
      { class: "chain-h" },
      h("h2", { id: heading }, words.link(number, created?.username ?? words.somebody)),
      created &&
        h(
          "p",
          { class: "meta" },
          created.note && h("span", null, h("bdi", null, `“${created.note}”`)),
          h("span", null, words.downloads(created.max_downloads ?? 1)),
          h("span", null, created.bind ? words.bound : words.anyone),
          created.expires_at && h("span", null, words.until(day(created.expires_at))),
        ),
    ),
    h(
      "ol",
      { class: "tl" },
      entries.map((entry) => h(Entry, { key: entry.hash, entry, of: created?.max_downloads ?? 0 })),
    ),
  );
}

/** @param {{entry: ReceiptEntry, of: number}} props */
function Entry({ entry, of }) {
  const words = texts.receipts;
  const { receipt, hash } = entry;
  if (!receipt)
    return h(
      "li",
      { class: "k-bad" },
      h("span", null),
      h("span", { class: "pt", "aria-hidden": "true" }),
      h("div", null, h("p", { class: "ev" }, words.unreadable)),
    );
  const { at, event, outcome, bytes, address: from, agent } = receipt;
  const short = `${hash.slice(0, 4)}…${hash.slice(-4)}`;
  const mono = (/** @type {string} */ text) => h("bdi", { class: "mono" }, text);
  /** @type {import("../components/row.mjs").Fact[]} */
  const facts = [
    [words.time, mono(at)],
    bytes !== undefined && [words.bytes, mono(bytes.toLocaleString(texts.language))],
    from && [words.address, mono(from)],
    agent && [words.agent, mono(agent)],
    [words.request, mono(receipt.request_id)],
    [words.hash, mono(hash)],
    receipt.previous && [words.before, mono(receipt.previous)],
  ];
  return h(
    "li",
    { class: KINDS[outcome ?? event] ?? "" },
    h("time", { dateTime: at, title: wholeMoment(at) }, day(at)),
    h("span", { class: "pt", "aria-hidden": "true" }),
    h(
      "div",
      null,
      h("p", { class: "ev" }, said(receipt, of)),
      h(
        "p",
        { class: "meta" },
        bytes !== undefined && outcome !== "redirected" && h("span", null, outcome === "broken_off" ? words.after(size(bytes)) : size(bytes)),
        from && h("span", null, from),
        agent && h("span", { class: "any" }, h("bdi", null, agent)),
      ),
      h(
        "details",
        null,
        h(
          "summary",
          null,
          `${words.receipt} ${receipt.number} `,
          h("span", { class: "mono" }, short),
          h(Icon, { name: "right" }),
        ),
        h(Facts, { facts }),
      ),
    ),
  );
}

/** What happened, in words. @param {Receipt} receipt @param {number} of the downloads that the link permits */
function said({ event, username, download = 0, outcome }, of) {
  const words = texts.receipts;
  switch (event) {
    case "created":
      return words.made(username ?? words.somebody);
    case "redeemed":
      return words.began(download, of);
    case "resumed":
      return words.resumed(download);
    case "ended":
      return outcome ? words.outcomes[outcome] : "";
    case "revoked":
      return words.revoked;
  }
}
