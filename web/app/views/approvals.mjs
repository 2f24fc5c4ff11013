// Those who have signed up, proven their address, and wait to be let in. For Ops and admins.

import { h } from "../../vendor/preact.mjs";
import { useState } from "../../vendor/preact-hooks.mjs";
import { Button } from "../components/button.mjs";
import { Confirm } from "../components/confirm.mjs";
import { Time } from "../components/file.mjs";
import { Empty, ListEnd, useList } from "../components/list.mjs";
import { Page } from "../components/page.mjs";
import { Person, Table } from "../components/table.mjs";
import { toast } from "../components/toast.mjs";
import { call } from "../session.mjs";
import { texts } from "../texts.mjs";

/** @typedef {import("../contract.d.ts").ApprovalSummary} ApprovalSummary */

export function View() {
  const words = texts.approvals;
  /** @type {ReturnType<typeof useList<ApprovalSummary>>} */
  const list = useList("api/approvals");
  const [asked, setAsked] = useState(/** @type {{who: ApprovalSummary, grant: boolean} | null} */ (null));
  const { items } = list;
  const decide = async () => {
    if (!asked) return;
    const { who, grant } = asked;
    await call(grant ? "POST" : "DELETE", `api/approvals/${who.id}`);
    list.change((all) => all.filter(({ id }) => id !== who.id));
    setAsked(null);
    toast(grant ? words.granted(who.username) : words.refused(who.username));
  };
  const question = asked && (asked.grant ? words.grantQuestion : words.refuseQuestion);
  return h(
    Page,
    { title: words.title, lead: words.lead },
    items.length > 0 &&
      h(
        Table,
        { caption: words.title, columns: [words.who, words.since], action: words.action },
        items.map((who) => h(Row, { key: who.id, who, decide: (grant) => setAsked({ who, grant }) })),
      ),
    h(ListEnd, { list }, h(Empty, { title: words.noneTitle, text: words.none })),
    asked &&
      question &&
      h(Confirm, { ...question, title: question.title(asked.who.username), sub: asked.who.email, harmless: asked.grant, act: decide, onClose: () => setAsked(null) }),
  );
}

/** @param {{who: ApprovalSummary, decide: (grant: boolean) => void}} props */
function Row({ who, decide }) {
  const words = texts.approvals;
  const { username, email, created_at: since } = who;
  const to = h("span", { class: "vh" }, ` ${username}`);
  return h(
    "tr",
    { role: "row" },
    h("td", { role: "cell" }, h(Person, { username, email }, h("span", null, words.signedUp, h(Time, { at: since })))),
    h("td", { role: "cell", class: "lg nowrap" }, h(Time, { at: since, capitalized: true })),
    h(
      "td",
      { role: "cell", class: "act" },
      h(
        "div",
        { class: "acts" },
        h(Button, { kind: "btn-s secondary", onClick: () => decide(true) }, words.grant, to),
        h(Button, { kind: "btn-s quiet-danger", onClick: () => decide(false) }, words.refuse, to),
      ),
    ),
  );
}
