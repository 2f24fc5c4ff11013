// The links that a Client has made, what became of them, and taking one back.

import { h } from "../../vendor/preact.mjs";
import { useState } from "../../vendor/preact-hooks.mjs";
import { Confirm } from "../components/confirm.mjs";
import { FileKind } from "../components/file.mjs";
import { Empty, ListEnd, useList } from "../components/list.mjs";
import { Page } from "../components/page.mjs";
import { LINK_SIGNS, State } from "../components/state.mjs";
import { Table } from "../components/table.mjs";
import { toast } from "../components/toast.mjs";
import { day } from "../format.mjs";
import { address } from "../router.mjs";
import { call } from "../session.mjs";
import { texts } from "../texts.mjs";

/** @typedef {import("../contract.d.ts").LinkSummary} LinkSummary */

export function View() {
  const words = texts.links;
  /** @type {ReturnType<typeof useList<LinkSummary>>} */
  const list = useList("api/links");
  const [revoking, setRevoking] = useState(/** @type {LinkSummary | null} */ (null));
  const { items } = list;
  const revoke = async () => {
    if (!revoking) return;
    const { id } = revoking;
    await call("DELETE", `api/links/${id}`);
    list.change((links) => links.map((it) => (it.id === id ? { ...it, state: "revoked" } : it)));
    setRevoking(null);
    toast(texts.revoke.done);
  };
  return h(
    Page,
    { title: words.title, lead: items.length > 0 && words.lead },
    items.length > 0 &&
      h(
        Table,
        { caption: words.caption, columns: [words.file, words.state, words.downloads, words.who], action: words.action },
        items.map((link) => h(Row, { key: link.id, link, revoke: setRevoking })),
      ),
    h(
      ListEnd,
      { list },
      h(Empty, { title: words.noneTitle, text: words.none }, h("a", { class: "btn primary", href: address("/files") }, words.choose)),
    ),
    revoking && h(Confirm, { ...question(revoking), act: revoke, onClose: () => setRevoking(null) }),
  );
}

/** @param {{link: LinkSummary, revoke: (link: LinkSummary) => void}} props */
function Row({ link, revoke }) {
  const words = texts.links;
  const { filename, state, max_downloads: of, downloads, note } = link;
  const label = h(State, { sign: LINK_SIGNS[state] }, words.states[state]);
  const when = state === "live" ? words.ends(day(link.expires_at)) : words.ended(day(link.created_at));
  const count = state === "live" ? words.left(of - downloads, of) : words.used(downloads, of);
  const who = link.bind ? words.onlyYou : words.anyone;
  const narrow = [h("span", null, label, ` ${when}`), h("span", null, count), h("span", null, who)];
  return h(
    "tr",
    { role: "row" },
    h(
      "td",
      { role: "cell" },
      h(
        "div",
        { class: "fcell" },
        h(FileKind, { filename }),
        h(
          "div",
          null,
          h("bdi", { class: "name", title: filename }, filename),
          note && h("span", { class: "sub any" }, h("bdi", null, note)),
          h("span", { class: "meta sm" }, narrow),
        ),
      ),
    ),
    h("td", { role: "cell", class: "lg nowrap" }, label, h("span", { class: "sub" }, when)),
    h("td", { role: "cell", class: "lg nowrap num" }, count),
    h("td", { role: "cell", class: "lg nowrap" }, who),
    h(
      "td",
      { role: "cell", class: "act" },
      state === "live" &&
        h(
          "button",
          { class: "btn btn-s secondary", type: "button", onClick: () => revoke(link) },
          words.revoke,
          h("span", { class: "vh" }, words.revokeTo(filename)),
        ),
    ),
  );
}

/** What is asked before a link is revoked. @param {LinkSummary} link */
function question({ filename, note, max_downloads: of, downloads }) {
  const { title, begin, running, final, keep, submit, busy: busyText } = texts.revoke;
  const sub = note ? `${filename}, “${note}”` : filename;
  const lines = [begin(of - downloads), running, final];
  return { title, sub, lines, icons: ["slash", "download", "info"], keep, submit, busyText };
}
