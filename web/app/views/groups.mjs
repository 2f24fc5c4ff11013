// Groups of Clients, for which files can be: who is in them, for admins.

import { h } from "../../vendor/preact.mjs";
import { useState } from "../../vendor/preact-hooks.mjs";
import { nextCursor, Problem } from "../api.mjs";
import { Button } from "../components/button.mjs";
import { Confirm } from "../components/confirm.mjs";
import { Time } from "../components/file.mjs";
import { emptyOnes, Field, Form, useForm } from "../components/form.mjs";
import { Empty, ListEnd, useList } from "../components/list.mjs";
import { ProblemNote } from "../components/note.mjs";
import { keepFocus, Page } from "../components/page.mjs";
import { OpenRow } from "../components/row.mjs";
import { Table } from "../components/table.mjs";
import { toast } from "../components/toast.mjs";
import { call, callForJson } from "../session.mjs";
import { texts } from "../texts.mjs";

/**
 * @typedef {import("../contract.d.ts").GroupDetails} GroupDetails
 * @typedef {import("../contract.d.ts").UserDetails} UserDetails
 */

const PATH = "api/admin/groups";

export function View() {
  const words = texts.groups;
  /** @type {ReturnType<typeof useList<GroupDetails>>} */
  const list = useList(PATH);
  const [deleting, setDeleting] = useState("");
  const { items } = list;
  const remove = async () => {
    await call("DELETE", `${PATH}/${deleting}`);
    list.change((groups) => groups.filter(({ name }) => name !== deleting));
    setDeleting("");
    toast(words.deleted(deleting));
  };
  const changed = (/** @type {string} */ name, /** @type {number} */ by) =>
    list.change((groups) => groups.map((it) => (it.name === name ? { ...it, members: it.members + by } : it)));
  return h(
    Page,
    { title: words.title, lead: words.lead },
    h("div", { class: "sect-n gap-b" }, h(Create, { onCreated: (group) => list.change((groups) => [...groups, group]) })),
    items.length > 0 &&
      h(
        Table,
        { caption: words.title, columns: [words.name, words.members, words.made], action: words.action },
        items.map((group) =>
          h(Row, {
            key: group.name,
            group,
            changed: (by) => changed(group.name, by),
            remove: () => setDeleting(group.name),
          }),
        ),
      ),
    h(ListEnd, { list }, h(Empty, { title: words.noneTitle, text: words.none })),
    deleting &&
      h(Confirm, { title: words.deleteTitle(deleting), lines: words.deleteLines, submit: words.delete, act: remove, onClose: () => setDeleting("") }),
  );
}

/** @param {{onCreated: (group: GroupDetails) => void}} props */
function Create({ onCreated }) {
  const words = texts.groups;
  const form = useForm(
    { name: "" },
    {
      check: (values) => emptyOnes(values, "name"),
      submit: async (values) => {
        /** @type {GroupDetails} */
        const made = await callForJson("POST", PATH, { body: values });
        onCreated(made);
        form.setValues({ name: "" });
        toast(words.created(made.name));
      },
      explain: ({ code, message }) => (code === "group_exists" ? { name: message } : null),
    },
  );
  return h(
    Form,
    { form },
    h(Field, { ...form.field("name"), label: words.newName, hint: words.nameHint, input: { autocomplete: "off", autocapitalize: "none", spellcheck: false } }),
    h("div", null, h(Button, { type: "submit", busy: form.busy, busyText: words.busy }, words.create)),
  );
}

/** @param {{group: GroupDetails, changed: (by: number) => void, remove: () => void}} props */
function Row({ group, changed, remove }) {
  const words = texts.groups;
  const { name, members, created_at: made } = group;
  const cells = (/** @type {import("preact").ComponentChildren} */ toggle) => [
    h(
      "td",
      { role: "cell" },
      h("bdi", { class: "name" }, name),
      h("span", { class: "meta sm" }, h("span", null, words.count(members))),
    ),
    h("td", { role: "cell", class: "lg" }, words.count(members)),
    h("td", { role: "cell", class: "lg nowrap" }, h(Time, { at: made, capitalized: true })),
    h("td", { role: "cell", class: "act" }, toggle),
  ];
  return h(OpenRow, { id: name, label: words.details(name), columns: 4, cells }, h(Members, { name, changed, remove }));
}

/** @param {{name: string, changed: (by: number) => void, remove: () => void}} props */
function Members({ name, changed, remove }) {
  const words = texts.groups;
  /** @type {ReturnType<typeof useList<UserDetails>>} */
  const list = useList("api/admin/users", { group: name });
  const [problem, setProblem] = useState(/** @type {Problem | null} */ (null));
  const [leaving, setLeaving] = useState("");
  const title = `members-${name}`;
  const leave = async (/** @type {UserDetails} */ { id, username }) => {
    setLeaving(id);
    setProblem(null);
    try {
      await call("DELETE", `${PATH}/${name}/members/${id}`);
      keepFocus(title);
      list.change((users) => users.filter((it) => it.id !== id));
      changed(-1);
      toast(words.left(username, name));
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      setProblem(error);
    } finally {
      setLeaving("");
    }
  };
  const field = `who-${name}`;
  const form = useForm(
    { [field]: "" },
    {
      check: (values) => emptyOnes(values, field),
      submit: async (values) => {
        const typed = (values[field] ?? "").trim();
        const user = await find(typed);
        if (!user) throw new Problem(404, "user_unknown", words.nobody);
        await call("PUT", `${PATH}/${name}/members/${user.id}`);
        if (!list.items.some(({ id }) => id === user.id)) {
          list.change((users) => [...users, user]);
          changed(1);
        }
        form.setValues({ [field]: "" });
        toast(words.joined(user.username, name));
      },
      explain: ({ code, message }) => (code === "user_unknown" || code === "group_full" ? { [field]: message } : null),
    },
  );
  return h(
    "section",
    { "aria-labelledby": title },
    h("h2", { id: title, tabIndex: -1 }, words.members),
    list.items.length === 0 && list.state === "ready" && h("p", { class: "muted" }, words.noMembers),
    h(
      "ul",
      null,
      list.items.map((user) =>
        h(
          "li",
          { key: user.id, class: "acts" },
          h("bdi", { class: "any" }, `${user.username}, ${user.email}`),
          h(Button, { kind: "btn-s quiet-danger", busy: leaving === user.id, busyText: words.busy, onClick: () => void leave(user) }, words.leave, h("span", { class: "vh" }, ` ${user.username}`)),
        ),
      ),
    ),
    problem && h(ProblemNote, { problem }),
    list.problem && h(ListEnd, { list }),
    list.cursor && h("p", null, h(Button, { kind: "btn-s secondary", onClick: list.more }, texts.showMore)),
    h(
      "div",
      { class: "sect-n gap-t" },
      h(
        Form,
        { form },
        h(Field, { ...form.field(field), label: words.join, hint: words.joinHint, input: { autocomplete: "off", autocapitalize: "none", spellcheck: false } }),
        h(
          "div",
          { class: "acts" },
          h(Button, { kind: "btn-s secondary", type: "submit", busy: form.busy, busyText: words.busy }, words.joinSubmit),
          h(Button, { kind: "btn-s quiet-danger", onClick: remove }, words.delete),
        ),
      ),
    ),
  );
}

/**
 * The account with exactly this name or address.
 * @param {string} typed
 */
async function find(typed) {
  const same = (/** @type {string} */ text) => text.toLowerCase() === typed.toLowerCase();
  let cursor = "";
  do {
    const query = new URLSearchParams(cursor ? { q: typed, cursor } : { q: typed });
    const response = await call("GET", `api/admin/users?${query}`);
    const page = /** @type {UserDetails[]} */ (await response.json());
    const found = page.find(({ username, email }) => same(username) || same(email));
    if (found) return found;
    cursor = nextCursor(response);
  } while (cursor);
  return null;
}
