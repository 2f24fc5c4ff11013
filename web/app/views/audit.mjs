// Who did what to which file, account or group, for admins. The address has the filters, so that the way
// back undoes each of them.

import { h } from "../../vendor/preact.mjs";
import { nextCursor, withQuery } from "../api.mjs";
import { useAction } from "../components/action.mjs";
import { Button, CopyButton } from "../components/button.mjs";
import { Time } from "../components/file.mjs";
import { Empty, ListEnd, useList } from "../components/list.mjs";
import { ProblemNote } from "../components/note.mjs";
import { focusHeading, Page } from "../components/page.mjs";
import { Facts, OpenRow } from "../components/row.mjs";
import { Select } from "../components/select.mjs";
import { Table } from "../components/table.mjs";
import { wholeMoment } from "../format.mjs";
import { address, go } from "../router.mjs";
import { save } from "../save.mjs";
import { call } from "../session.mjs";
import { texts } from "../texts.mjs";

/**
 * @typedef {import("../contract.d.ts").AuditEntry} AuditEntry
 * @typedef {import("../contract.d.ts").UserDetails} UserDetails
 * @typedef {import("preact").ComponentChildren} Children
 */

const PATH = "api/admin/audit";
const VIEW = "/audit";

/** As the API names them. */
const ACTIONS = [
  "account_created", "address_proven", "email_changed", "email_restored", "file_changed", "file_deleted",
  "file_rejected", "file_uploaded", "group_created", "group_deleted", "group_joined", "group_left",
  "invitation_accepted", "invitation_renewed", "invitation_withdrawn", "password_changed", "password_reset",
  "password_reset_forced", "recovery_code_used", "recovery_codes_replaced", "role_changed",
  "second_factor_added", "second_factor_removed", "session_begun", "session_ended", "session_replayed",
  "sessions_ended", "sign_up_declined", "sign_up_withdrawn", "upload_aborted", "user_approved",
  "user_deleted", "user_disabled", "user_enabled", "user_refused",
];

/** @param {import("../views.mjs").ViewProps} props */
export function View({ query }) {
  const words = texts.audit;
  const { busy, problem, run } = useAction();
  const [actor = "", subject = "", action = "", from = "", to = ""] =
    ["actor", "subject", "action", "from", "to"].map((name) => query.get(name) ?? "");
  const filters = { actor, subject, action, from, to };
  const sought = { actor, subject, action, after: midnight(from, 0), before: midnight(to, 1) };
  /** @type {ReturnType<typeof useList<AuditEntry>>} */
  const list = useList(PATH, sought);
  // The lines have ids. Who acted lately was seen lately, so these are the names of most of them.
  /** @type {ReturnType<typeof useList<UserDetails>>} */
  const users = useList("api/admin/users", { limit: "100", sort: "-last_seen" });
  const names = new Map(users.items.map(({ id, username }) => [id, username]));

  const change = (/** @type {Partial<typeof filters>} */ some) => go(VIEW, { ...filters, ...some });
  const exportAll = async () => save(new Blob(await csv(sought), { type: "text/csv" }), "audit.csv");
  const actions = Object.fromEntries(ACTIONS.map((name) => [name, words.action(name)]));
  const clear = h("a", { class: "btn secondary", href: address(VIEW), onClick: focusHeading }, words.clear);
  return h(
    Page,
    { title: words.title, lead: words.lead, actions: h(Button, { icon: "download", busy, busyText: words.exporting, onClick: () => void run(exportAll) }, words.export) },
    problem && h(ProblemNote, { problem }),
    h(
      "div",
      { class: "tools", role: "search" },
      h(Select, { id: "action", label: words.what, value: action, onChange: (value) => change({ action: value }), options: { "": words.everything, ...actions } }),
      h(Day, { id: "from", label: words.from, value: from, onChange: (value) => change({ from: value }) }),
      h(Day, { id: "to", label: words.to, value: to, onChange: (value) => change({ to: value }) }),
      Object.values(filters).some(Boolean) && clear,
    ),
    actor && h("p", { class: "gap-b" }, words.onlyBy, h(Account, { id: actor, names })),
    subject && h("p", { class: "gap-b" }, words.onlyAbout, h(About, { subject, names })),
    list.items.length > 0 &&
      h(
        Table,
        { caption: words.title, columns: [words.when, words.who, words.what, words.about], action: words.details },
        list.items.map((entry) => h(Row, { key: `${entry.at} ${entry.request_id} ${entry.action}`, entry, names })),
      ),
    h(ListEnd, { list }, h(Empty, { title: words.noneTitle, text: words.none })),
  );
}

/**
 * The beginning of a day here, as the API takes it.
 * @param {string} date such as `2026-11-30`; it may be none
 * @param {number} later days
 */
function midnight(date, later) {
  const moment = new Date(`${date}T00:00`);
  moment.setDate(moment.getDate() + later);
  return Number.isNaN(moment.getTime()) ? "" : moment.toISOString();
}

/**
 * All lines as the pages of one table. The first has the header, and only the last one ends as it came:
 * the others have a line more, which says where they continue.
 * @param {Record<string, string>} sought
 */
async function csv(sought) {
  const pages = [];
  let cursor = "";
  do {
    const response = await call("GET", withQuery(PATH, { ...sought, cursor }), { headers: { accept: "text/csv" } });
    const lines = (await response.text()).split("\r\n");
    cursor = nextCursor(response);
    pages.push(lines.slice(pages.length > 0 ? 1 : 0, cursor ? -2 : -1).map((line) => `${line}\r\n`).join(""));
  } while (cursor);
  return pages;
}

/** @param {{id: string, label: string, value: string, onChange: (value: string) => void}} props */
function Day({ id, label, value, onChange }) {
  /** @param {Event} event */
  const changed = (event) => onChange(/** @type {HTMLInputElement} */ (event.currentTarget).value);
  return h(
    "div",
    { class: "field" },
    h("label", { for: id }, label),
    h("input", { class: "input", id, type: "date", value, onChange: changed }),
  );
}

/** The name of an account, or the beginning of its id. @param {{id: string, names: Map<string, string>}} props */
function Account({ id, names }) {
  const name = names.get(id);
  return name ? h("bdi", { class: "any" }, name) : h("span", { class: "mono", title: id }, id.slice(0, 8));
}

/** @param {{subject: string, names: Map<string, string>}} props */
function About({ subject, names }) {
  const [kind = "", id = ""] = subject.split(":");
  if (kind === "user") return h(Account, { id, names });
  return h("span", null, `${texts.audit.kind(kind)} `, h("span", { class: "mono", title: id }, id.slice(0, 8)));
}

/** @param {{entry: AuditEntry, names: Map<string, string>}} props */
function Row({ entry, names }) {
  const words = texts.audit;
  const { at, subject, action, actor, request_id: request, detail } = entry;
  const when = h(Time, { at, capitalized: true });
  const who = h(Account, { id: actor, names });
  const about = h(About, { subject, names });
  const what = words.action(action);
  const cells = (/** @type {Children} */ toggle) => [
    h("td", { role: "cell", class: "lg nowrap" }, when),
    h("td", { role: "cell", class: "lg" }, who),
    h(
      "td",
      { role: "cell" },
      h("span", { class: "name" }, what),
      detail && h("span", { class: "sub any" }, h("bdi", null, detail)),
      h("span", { class: "meta sm" }, h("span", null, when), h("span", null, who), h("span", null, about)),
    ),
    h("td", { role: "cell", class: "lg" }, about),
    h("td", { role: "cell", class: "act" }, toggle),
  ];
  const id = (/** @type {string} */ text) => h("span", { class: "mono any" }, text);
  /** @type {import("../components/row.mjs").Fact[]} */
  const facts = [
    [words.when, wholeMoment(at)],
    [words.who, [who, " ", id(actor)]],
    [words.about, [about, " ", id(subject)]],
    [words.request, h("span", { class: "dig-row" }, id(request), h(CopyButton, { text: request }, words.copy))],
  ];
  const only = (/** @type {Record<string, string>} */ filter, /** @type {string} */ text) =>
    h("a", { class: "btn btn-s secondary", href: address(VIEW, filter) }, text);
  return h(
    OpenRow,
    { id: `${request}-${action}`, label: words.detailsOf(what, wholeMoment(at)), columns: 5, cells },
    h("div", { class: "gap-b" }, h(Facts, { facts })),
    h("div", { class: "acts" }, only({ actor }, words.byThis), only({ subject }, words.aboutThis)),
  );
}
