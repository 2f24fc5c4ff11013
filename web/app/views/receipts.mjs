// What happened to the links to a file: its receipts as a timeline for each link, and whether they are
// as they were written.

import { h } from "../../vendor/preact.mjs";
import { useEffect, useState } from "../../vendor/preact-hooks.mjs";
import { Problem } from "../api.mjs";
import { brokenAt, receiptsIn } from "../chain.mjs";
import { useAction } from "../components/action.mjs";
import { Button } from "../components/button.mjs";
import { Digest } from "../components/file.mjs";
import { Icon } from "../components/icon.mjs";
import { Empty, ListEnd, useList } from "../components/list.mjs";
import { Note, ProblemNote } from "../components/note.mjs";
import { Page } from "../components/page.mjs";
import { Facts } from "../components/row.mjs";
import { LINK_SIGNS, State } from "../components/state.mjs";
import { capital, day, deviceName, second, size, wholeMoment } from "../format.mjs";
import { address } from "../router.mjs";
import { save } from "../save.mjs";
import { call, callForJson } from "../session.mjs";
import { texts } from "../texts.mjs";

/**
 * @typedef {import("../contract.d.ts").FileDetails} FileDetails
 * @typedef {import("../contract.d.ts").Receipt} Receipt
 * @typedef {import("../chain.mjs").Sealed} Sealed
 */

/** The colour of the point of a receipt. @type {Record<string, string>} */
const KINDS = { completed: "k-ok", broken_off: "k-warn", revoked: "k-bad" };

/** How many links are shown at first, and with each wish for more. All are verified. */
const PAGE = 20;

/** @param {import("../views.mjs").ViewProps} props */
export function View({ query }) {
  const words = texts.receipts;
  const id = encodeURIComponent(query.get("file") ?? "");
  const [file, setFile] = useState(/** @type {FileDetails | null} */ (null));
  const [problem, setProblem] = useState(/** @type {Problem | null} */ (null));
  /** @type {ReturnType<typeof useList<Sealed>>} */
  const list = useList(`api/files/${id}/receipts`, { limit: "100" }, receiptsIn);
  const { items, state, cursor } = list;
  const chains = byLink(items);
  const [broken, setBroken] = useState(/** @type {number[]} */ ([]));
  const [shown, setShown] = useState(PAGE);
  useEffect(() => {
    callForJson("GET", `api/files/${id}`).then(
      (answer) => setFile(/** @type {FileDetails} */ (answer)),
      (error) => {
        if (!(error instanceof Problem)) throw error;
        setProblem(error);
      },
    );
  }, [id]);
  useEffect(() => {
    if (state !== "ready") return;
    // Only all receipts of a link show whether its chain is whole.
    if (cursor) list.more();
    else Promise.all(chains.map(brokenAt)).then(setBroken);
  }, [state, cursor]);
  const count = (/** @type {string} */ sought) => chains.filter((chain) => stateOf(chain) === sought).length;
  const facts = file && [
    file.size !== null && h("span", null, size(file.size)),
    h("span", null, words.uploaded(day(file.created_at))),
    file.expires_at && h("span", null, words.until(wholeMoment(file.expires_at))),
    broken.length > 0 && h("span", null, words.links(chains.length, count("live"), count("used"))),
  ];
  return h(
    Page,
    { title: file?.filename ?? texts.uploads.receipts, lead: words.lead },
    h("nav", { class: "crumb", "aria-label": words.where }, h("a", { href: address("/uploads") }, words.back)),
    facts && h("p", { class: "meta" }, facts),
    problem && h(ProblemNote, { problem }),
    broken.length > 0 && h("div", { class: "gap-t" }, h(Verified, { chains, broken })),
    chains.slice(0, shown).map((chain, at) => h(Chain, { key: at, number: at + 1, chain, broken: broken[at] ?? 0 })),
    shown < chains.length && h(Button, { onClick: () => setShown(shown + PAGE) }, texts.showMore),
    !problem && h(ListEnd, { list }, h(Empty, { title: words.noneTitle, text: words.none })),
  );
}

/**
 * The receipts of each link, in the order of the answer. One that cannot be read belongs to the link of
 * the one before.
 * @param {Sealed[]} receipts
 */
function byLink(receipts) {
  /** @type {Sealed[][]} */
  const links = [];
  let before = "";
  for (const sealed of receipts) {
    const link = sealed.receipt?.link ?? before;
    if (links.length === 0 || link !== before) links.push([]);
    links.at(-1)?.push(sealed);
    before = link;
  }
  return links;
}

/** Whether all receipts are as they were written. @param {{chains: Sealed[][], broken: number[]}} props */
function Verified({ chains, broken }) {
  const words = texts.receipts;
  if (broken.every((number) => number === 0))
    return h(
      Note,
      { kind: "ok", title: words.whole },
      h("p", null, words.wholeText(chains.flat().length, chains.length)),
    );
  return broken.map(
    (number, at) =>
      number > 0 &&
      h(
        Note,
        { key: at, kind: "bad", title: words.broken(number, at + 1) },
        h("p", null, words.brokenText, " ", h("span", { class: "mono any" }, chains[at]?.[0]?.receipt?.link)),
      ),
  );
}

/** @param {{number: number, chain: Sealed[], broken: number}} props */
function Chain({ number, chain, broken }) {
  const words = texts.receipts;
  const created = creationOf(chain);
  const heading = `chain-${number}`;
  const state = stateOf(chain);
  return h(
    "section",
    { class: "chain", "aria-labelledby": heading },
    h(
      "div",
      { class: "chain-h" },
      h("h2", { id: heading }, words.link(number, created?.username ?? words.somebody)),
      created &&
        h(
          Certificate,
          { number, link: created.link },
          h(State, { sign: LINK_SIGNS[state] }, texts.links.states[state]),
        ),
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
      chain.map((sealed, at) => {
        // Where one is missing, another stands in its place.
        const changed = at + 1 === broken && sealed.receipt?.number === broken;
        return h(Entry, { key: sealed.hash, sealed, of: created?.max_downloads ?? 0, changed });
      }),
    ),
  );
}

/** @param {Sealed[]} chain */
const creationOf = (chain) => chain.find(({ receipt }) => receipt?.event === "created")?.receipt;

/** What has become of a link, by its receipts. @param {Sealed[]} chain */
function stateOf(chain) {
  const { max_downloads: most = 1, expires_at: end = "" } = creationOf(chain) ?? {};
  const count = (/** @type {string} */ event) => chain.filter(({ receipt }) => receipt?.event === event).length;
  if (count("revoked")) return "revoked";
  if (count("redeemed") >= most) return "used";
  return Date.parse(end) > Date.now() ? "live" : "expired";
}

/**
 * Saves the certificate of a link, whose state stands beside it.
 * @param {{number: number, link: string, children?: import("preact").ComponentChildren}} props
 */
function Certificate({ number, link, children }) {
  const words = texts.receipts;
  const { busy, problem, run } = useAction();
  const get = async () => {
    const answer = await call("GET", `api/links/${link}/certificate`);
    save(await answer.blob(), `certificate-${link}.jwt`);
  };
  return [
    h(
      "div",
      { class: "acts" },
      children,
      h(
        Button,
        { kind: "btn-s secondary", icon: "download", busy, busyText: texts.confirm.busy, onClick: () => void run(get) },
        words.certificate,
        h("span", { class: "vh" }, words.ofLink(number)),
      ),
    ),
    problem && h(ProblemNote, { problem }),
  ];
}

/** @param {{sealed: Sealed, of: number, changed: boolean}} props */
function Entry({ sealed, of, changed }) {
  const words = texts.receipts;
  const { receipt, hash } = sealed;
  // There can be thousands, and few are opened.
  const [open, setOpen] = useState(false);
  const onToggle = (/** @type {Event} */ { currentTarget }) =>
    setOpen(/** @type {HTMLDetailsElement} */ (currentTarget).open);
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
  return h(
    "li",
    { class: changed ? "k-bad" : (KINDS[outcome ?? event] ?? "") },
    h("time", { dateTime: at, title: wholeMoment(at) }, second(at)),
    h("span", { class: "pt", "aria-hidden": "true" }),
    h(
      "div",
      null,
      h("p", { class: "ev" }, said(receipt, of), changed && words.changed),
      h(
        "p",
        { class: "meta" },
        bytes !== undefined && outcome !== "redirected" && h("span", null, outcome === "broken_off" ? words.after(size(bytes)) : size(bytes)),
        from && h("span", null, from),
        agent && h("span", null, h("bdi", null, deviceName(agent))),
      ),
      h(
        "details",
        { onToggle },
        h(
          "summary",
          null,
          `${words.receipt} ${receipt.number} `,
          h("span", { class: "mono" }, short),
          h(Icon, { name: "right" }),
        ),
        open && h(Facts, { facts: factsOf(sealed) }),
      ),
    ),
  );
}

/** The fields of a receipt, and its hash. @param {Sealed} sealed */
function factsOf({ receipt, hash }) {
  return Object.entries({ ...receipt, hash }).map(([name, value]) => {
    const text = String(value);
    /** @type {import("../components/row.mjs").Fact} */
    const fact = [
      capital(name.replaceAll("_", " ")),
      /^[0-9a-f]{64}$/.test(text) ? h(Digest, { digest: text }) : h("bdi", { class: "mono" }, text),
    ];
    return fact;
  });
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
    case "erased":
      return words.erased;
  }
}
