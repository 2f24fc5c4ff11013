// Invitations that can still be accepted, for admins.

import { h } from "../../vendor/preact.mjs";
import { useState } from "../../vendor/preact-hooks.mjs";
import { Problem } from "../api.mjs";
import { Button } from "../components/button.mjs";
import { Confirm } from "../components/confirm.mjs";
import { Dialog } from "../components/dialog.mjs";
import { Time } from "../components/file.mjs";
import { emptyOnes, Field, Form, useForm } from "../components/form.mjs";
import { Empty, ListEnd, useList } from "../components/list.mjs";
import { ProblemNote } from "../components/note.mjs";
import { Page } from "../components/page.mjs";
import { Select } from "../components/select.mjs";
import { Person, Table } from "../components/table.mjs";
import { toast } from "../components/toast.mjs";
import { call } from "../session.mjs";
import { texts } from "../texts.mjs";

/** @typedef {import("../contract.d.ts").InvitationSummary} InvitationSummary */

const PATH = "api/admin/invitations";

export function View() {
  const words = texts.invitations;
  /** @type {ReturnType<typeof useList<InvitationSummary>>} */
  const list = useList(PATH);
  const [inviting, setInviting] = useState(false);
  const [sending, setSending] = useState("");
  const [problem, setProblem] = useState(/** @type {Problem | null} */ (null));
  const [withdrawing, setWithdrawing] = useState(/** @type {InvitationSummary | null} */ (null));
  const { items } = list;

  const onInvited = (/** @type {InvitationSummary} */ made) => {
    setInviting(false);
    list.change((all) => [...all, made]);
    toast(words.invited(made.email));
  };
  const resend = async (/** @type {InvitationSummary} */ { id, email }) => {
    setSending(id);
    setProblem(null);
    try {
      await call("POST", `${PATH}/${id}`);
      list.reload();
      toast(words.resent(email));
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      setProblem(error);
    } finally {
      setSending("");
    }
  };
  const withdraw = async () => {
    if (!withdrawing) return;
    const { id, email } = withdrawing;
    await call("DELETE", `${PATH}/${id}`);
    list.change((all) => all.filter((it) => it.id !== id));
    setWithdrawing(null);
    toast(words.withdrawn(email));
  };
  const invite = h(Button, { kind: "primary", onClick: () => setInviting(true) }, words.invite);
  return h(
    Page,
    { title: words.title, lead: words.lead, actions: invite },
    problem && h(ProblemNote, { problem }),
    items.length > 0 &&
      h(
        Table,
        { caption: words.title, columns: [words.who, words.role, words.made, words.ends], action: words.action },
        items.map((invitation) =>
          h(Row, {
            key: invitation.id,
            invitation,
            busy: sending === invitation.id,
            resend: () => void resend(invitation),
            withdraw: () => setWithdrawing(invitation),
          }),
        ),
      ),
    h(ListEnd, { list }, h(Empty, { title: words.noneTitle, text: words.none })),
    inviting && h(Invite, { onInvited, onClose: () => setInviting(false) }),
    withdrawing &&
      h(Confirm, { title: words.withdrawTitle, sub: withdrawing.email, lines: words.withdrawLines, submit: words.withdraw, act: withdraw, onClose: () => setWithdrawing(null) }),
  );
}

/** @param {{invitation: InvitationSummary, busy: boolean, resend: () => void, withdraw: () => void}} props */
function Row({ invitation, busy, resend, withdraw }) {
  const words = texts.invitations;
  const { username, email, role, created_at: made, expires_at: ends } = invitation;
  const to = h("span", { class: "vh" }, ` ${email}`);
  return h(
    "tr",
    { role: "row" },
    h(
      "td",
      { role: "cell" },
      h(Person, { username, email }, h("span", null, texts.menu.roles[role]), h("span", null, words.endsAt, h(Time, { at: ends }))),
    ),
    h("td", { role: "cell", class: "lg" }, texts.menu.roles[role]),
    h("td", { role: "cell", class: "lg nowrap" }, h(Time, { at: made, capitalized: true })),
    h("td", { role: "cell", class: "lg nowrap" }, h(Time, { at: ends, capitalized: true })),
    h(
      "td",
      { role: "cell", class: "act" },
      h(
        "div",
        { class: "acts" },
        h(Button, { kind: "btn-s secondary", busy, busyText: words.busy, onClick: resend }, words.resend, to),
        h(Button, { kind: "btn-s quiet-danger", onClick: withdraw }, words.withdraw, to),
      ),
    ),
  );
}

/** @param {{onInvited: (made: InvitationSummary) => void, onClose: () => void}} props */
function Invite({ onInvited, onClose }) {
  const words = texts.invitations;
  const form = useForm(
    { email: "", role: "client", username: "" },
    {
      draft: "invitation",
      check: (values) => emptyOnes(values, "email"),
      submit: async ({ email, role, username }) => {
        const body = username ? { email, role, username } : { email, role };
        onInvited(await (await call("POST", PATH, { body })).json());
      },
      explain: ({ code, message }) => {
        if (code === "email_known" || code === "too_many_invitations") return { email: message };
        return code === "username_taken" ? { username: texts.signUp.taken } : null;
      },
    },
  );
  const foot = [
    h(Button, { onClick: onClose }, texts.confirm.cancel),
    h(Button, { kind: "primary", type: "submit", form: "invite", busy: form.busy, busyText: words.busy }, words.submit),
  ];
  const { value, onInput } = form.field("role");
  return h(
    Dialog,
    { title: words.inviteTitle, sub: words.inviteWhat, small: true, busy: form.busy, onClose, foot },
    h(
      Form,
      { id: "invite", form },
      h(Field, { ...form.field("email"), label: words.email, input: { type: "email", autocomplete: "off" } }),
      h(Select, { id: "role", label: words.role, value, options: texts.menu.roles, onChange: onInput }),
      h(Field, { ...form.field("username"), label: words.username, hint: words.usernameHint, optional: true, input: { autocomplete: "off", autocapitalize: "none", spellcheck: false } }),
    ),
  );
}
