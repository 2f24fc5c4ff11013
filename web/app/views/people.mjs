// All accounts, for admins: who may sign in, and as what.

import { h } from "../../vendor/preact.mjs";
import { useState } from "../../vendor/preact-hooks.mjs";
import { Button } from "../components/button.mjs";
import { Confirm } from "../components/confirm.mjs";
import { Device } from "../components/device.mjs";
import { Time } from "../components/file.mjs";
import { ExportButton } from "../components/export.mjs";
import { Empty, ListEnd, useList } from "../components/list.mjs";
import { Page } from "../components/page.mjs";
import { Facts, OpenRow } from "../components/row.mjs";
import { Search, useSearch } from "../components/search.mjs";
import { Select } from "../components/select.mjs";
import { State } from "../components/state.mjs";
import { Person, Table } from "../components/table.mjs";
import { toast } from "../components/toast.mjs";
import { day, wholeMoment } from "../format.mjs";
import { address } from "../router.mjs";
import { call, callForJson } from "../session.mjs";
import { texts } from "../texts.mjs";

/**
 * @typedef {import("../contract.d.ts").UserDetails} UserDetails
 * @typedef {import("../contract.d.ts").SessionSummary} SessionSummary
 * @typedef {import("../contract.d.ts").LimitDetails} LimitDetails
 * @typedef {import("../contract.d.ts").Role} Role
 * @typedef {import("preact").ComponentChildren} Children
 * @typedef {{label: string, title: string, lines: string[], submit: string, done: string,
 *   harmless?: boolean, place?: string, body: object | null}} Action
 *   `place` is `sessions` or `last` when the button does not stand among the others; without a `body`
 *   the account is deleted
 * @typedef {(action: Action, done: () => void) => void} Ask
 */

/** @type {Role[]} */
const ROLES = ["client", "ops", "admin"];
const SIGNS = {
  active: ["dot", "state-live"],
  disabled: ["slash", "state-off"],
  unverified: ["clock", "state-warn"],
  invited: ["clock", "state-warn"],
  waiting: ["clock", "state-warn"],
};

/** @param {import("../views.mjs").ViewProps} props */
export function View({ query, account }) {
  const words = texts.people;
  const [role, setRole] = useState(query.get("role") ?? "");
  const [state, setState] = useState(query.get("state") ?? "");
  const [asked, setAsked] = useState(/** @type {{user: UserDetails, action: Action, done: () => void} | null} */ (null));
  const search = useSearch("/people", query, { role, state });
  /** @type {ReturnType<typeof useList<UserDetails>>} */
  const list = useList("api/admin/users", search.sought);

  const { items } = list;
  const counted = list.state === "ready" && items.length > 0 && words.count(items.length, list.cursor !== "");
  const clear = () => {
    search.clear();
    setRole("");
    setState("");
  };
  const act = async () => {
    if (!asked) return;
    const { user, action, done } = asked;
    const path = `api/admin/users/${user.id}`;
    if (action.body) {
      /** @type {UserDetails} */
      const changed = await callForJson("PATCH", path, { body: action.body });
      list.change((users) => users.map((it) => (it.id === changed.id ? changed : it)));
      done();
    } else {
      await call("DELETE", path);
      list.change((users) => users.filter((it) => it.id !== user.id));
    }
    setAsked(null);
    toast(action.done);
  };
  return h(
    Page,
    { title: words.title, lead: words.lead },
    h(
      Search,
      { search, label: words.search, hint: words.searchHint, count: counted },
      h(Select, { id: "role", label: words.role, value: role, onChange: setRole, options: { "": words.anyRole, ...texts.menu.roles } }),
      h(Select, { id: "state", label: words.state, value: state, onChange: setState, options: { "": words.anyState, ...words.states } }),
    ),
    items.length > 0 &&
      h(
        Table,
        { caption: words.title, columns: [words.name, words.role, words.state, words.factor, words.seen], action: words.action },
        items.map((user) =>
          h(Row, { key: user.id, user, own: user.id === account?.id, ask: (action, done) => setAsked({ user, action, done }) }),
        ),
      ),
    h(ListEnd, { list }, h(Empty, { title: words.noneTitle, text: words.none }, h(Button, { onClick: clear }, words.clear))),
    asked &&
      h(Confirm, { ...asked.action, sub: `${asked.user.email}, ${texts.menu.roles[asked.user.role]}`, act, onClose: () => setAsked(null) }),
  );
}

/** @param {{user: UserDetails, own: boolean, ask: Ask}} props */
function Row({ user, own, ask }) {
  const words = texts.people;
  const { id, username, email, role, state, second_factor: factor, last_seen_at: seen } = user;
  const label = h(State, { sign: SIGNS[state] }, words.states[state]);
  const when = seen ? h(Time, { at: seen, capitalized: true }) : words.never;
  const narrow = [h("span", null, texts.menu.roles[role]), h("span", null, label)];
  const cells = (/** @type {Children} */ toggle) => [
    h("td", { role: "cell" }, h(Person, { username, email, aside: own ? words.you : "" }, narrow)),
    h("td", { role: "cell", class: "lg" }, texts.menu.roles[role]),
    h("td", { role: "cell", class: "lg nowrap" }, label),
    h("td", { role: "cell", class: `lg ${factor ? "" : "muted"}` }, factor ? words.on : words.off),
    h("td", { role: "cell", class: "lg nowrap" }, when),
    h("td", { role: "cell", class: "act" }, toggle),
  ];
  return h(OpenRow, { id, label: words.details(username), columns: 6, cells }, h(Details, { user, own, ask }));
}

/** @param {{user: UserDetails, own: boolean, ask: Ask}} props */
function Details({ user, own, ask }) {
  const words = texts.people;
  const { id, username, second_factor: factor, last_seen_at: seen, created_at: created } = user;
  /** @type {ReturnType<typeof useList<SessionSummary>>} */
  const sessions = useList(`api/admin/users/${id}/sessions`);
  /** @type {ReturnType<typeof useList<LimitDetails>>} */
  const limits = useList(`api/admin/users/${id}/limits`);
  // What ends something stands last, and apart.
  const buttons = (/** @type {string | undefined} */ place) =>
    actions(user)
      .filter((action) => !own && action.place === place)
      .map((action) =>
        h(
          Button,
          // Most of them end sessions.
          { key: action.label, kind: `btn-s ${place === "last" ? "quiet-danger" : "secondary"}`, onClick: () => ask(action, sessions.reload) },
          action.label,
        ),
      );
  /** @type {import("../components/row.mjs").Fact[]} */
  const facts = [
    [words.seen, seen ? wholeMoment(seen) : words.never],
    [words.since, wholeMoment(created)],
    [words.factor, factor ? words.on : words.off],
    [words.id, h("span", { class: "mono any" }, id)],
  ];
  return [
    h("div", { class: "gap-b" }, h(Facts, { facts })),
    h(
      "p",
      { class: "gap-b meta" },
      h("a", { href: address("/audit", { actor: id }) }, words.did),
      h("a", { href: address("/audit", { subject: `user:${id}` }) }, words.happened),
    ),
    h(
      "section",
      { class: "sect-b gap-t", "aria-labelledby": `sessions-${id}` },
      h("h2", { id: `sessions-${id}` }, words.sessions),
      h("ul", null, sessions.items.map((session) => h(Device, { key: session.id, session }))),
      h(ListEnd, { list: sessions }, h("p", { class: "muted" }, words.noSessions)),
      h("div", { class: "acts gap-s" }, buttons("sessions")),
    ),
    h(
      "section",
      { class: "gap-t gap-b", "aria-labelledby": `limits-${id}` },
      h("h2", { id: `limits-${id}` }, words.limitsTitle),
      limits.items.length > 0 && h(Facts, { facts: limits.items.map(limitFact) }),
      h(ListEnd, { list: limits }, h("p", { class: "muted" }, words.noLimits)),
    ),
    own
      ? h("p", null, words.own, h("a", { href: address("/account") }, texts.account.title), ".")
      : [
          h("div", { class: "acts" }, h(ExportButton, { path: `api/admin/users/${id}/export`, username }), buttons(undefined)),
          h("div", { class: "acts gap-t flush" }, buttons("last")),
        ],
  ];
}

/**
 * What was done how often, and until when that counts.
 * @param {LimitDetails} limit
 * @returns {import("../components/row.mjs").Fact}
 */
function limitFact({ what, taken, most, ends_at: ends, retry_after: wait }) {
  const words = texts.people;
  const said = wait ? words.limitReached(taken, most, day(new Date(Date.now() + wait * 1000).toISOString())) : words.limit(taken, most, day(ends));
  return [words.limits[what], said];
}

/**
 * What an admin can do about an account of somebody else.
 * @param {UserDetails} user
 * @returns {Action[]}
 */
function actions({ username, role, state, second_factor: factor }) {
  const words = texts.people;
  const roles = ROLES.filter((it) => it !== role).map((it) => ({
    ...words.changeRole(username, texts.menu.roles[role], texts.menu.roles[it]),
    body: { role: it },
  }));
  const active = state === "active";
  return [
    state === "disabled"
      ? { ...words.enable(username), harmless: true, body: { active: true } }
      : { ...words.disable(username), place: "last", body: { active: false } },
    ...roles,
    ...(active ? [{ ...words.endSessions(username), place: "sessions", body: { sessions: "end" } }] : []),
    ...(active ? [{ ...words.resetPassword(username), body: { password: "reset" } }] : []),
    ...(factor ? [{ ...words.resetFactor(username), body: { second_factor: "reset" } }] : []),
    { ...words.delete(username), place: "last", body: null },
  ];
}
