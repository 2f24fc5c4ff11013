// One's own account: where it is signed in, its password, its address, and its second factor.

import { h } from "../../vendor/preact.mjs";
import { useEffect, useState } from "../../vendor/preact-hooks.mjs";
import { Problem } from "../api.mjs";
import { Button } from "../components/button.mjs";
import { Device } from "../components/device.mjs";
import { Dialog } from "../components/dialog.mjs";
import { ExportButton } from "../components/export.mjs";
import { emptyOnes, Field, Form, PasswordField, tooShort, useForm } from "../components/form.mjs";
import { Icon } from "../components/icon.mjs";
import { ListEnd, Skeleton, useList } from "../components/list.mjs";
import { Note, ProblemNote } from "../components/note.mjs";
import { keepFocus, Page } from "../components/page.mjs";
import { RecoveryCodes } from "../components/recovery-codes.mjs";
import { State } from "../components/state.mjs";
import { toast } from "../components/toast.mjs";
import { Username } from "../components/username.mjs";
import { day, deviceName } from "../format.mjs";
import { address } from "../router.mjs";
import { call, callForJson, closed, readAccount } from "../session.mjs";
import { texts } from "../texts.mjs";

/**
 * @typedef {import("../contract.d.ts").Account} Account
 * @typedef {import("../contract.d.ts").SessionSummary} SessionSummary
 * @typedef {import("preact").ComponentChildren} Children
 */

export function View() {
  const words = texts.account;
  const [account, setAccount] = useState(/** @type {Account | null} */ (null));
  const [problem, setProblem] = useState(/** @type {Problem | null} */ (null));
  /** @type {ReturnType<typeof useList<SessionSummary>>} */
  const sessions = useList("api/sessions");
  // It can have changed since the session began: the address by a link, the second factor by the user.
  const read = async () => {
    setProblem(null);
    try {
      setAccount(await readAccount());
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      setProblem(error);
    }
  };
  useEffect(() => void read(), []);
  if (!account) return h(Page, { title: words.title }, problem && h(ProblemNote, { problem, retry: read }));

  const { username, email, role, created_at: since } = account;
  return h(
    Page,
    { title: words.title, lead: h("bdi", { class: "any" }, words.lead(username, email, texts.menu.roles[role], day(since))) },
    h(Section, { id: "sessions", title: words.sessions, text: words.sessionsWhat }, h(Sessions, { list: sessions })),
    h(Section, { id: "password-title", title: words.password, text: words.passwordWhat, narrow: true }, h(Password, { changed: sessions.reload })),
    h(Section, { id: "email-title", title: words.email, text: words.emailWhat(email), narrow: true }, h(Email, null)),
    h(
      Section,
      { id: "factor", title: words.factor, text: words.factorWhat },
      h(SecondFactor, { on: account.second_factor, removed: read }),
    ),
    h(Section, { id: "theme", title: words.theme, text: words.themeWhat, narrow: true }, h(Theme, null)),
    h(Section, { id: "data", title: words.data, text: words.dataWhat }, h(ExportButton, { path: "api/account/export", username })),
    h(Section, { id: "end", title: words.delete, text: words.deleteWhat }, h(Delete, null)),
  );
}

/** @param {{id: string, title: string, text: string, narrow?: boolean, children?: Children}} props */
function Section({ id, title, text, narrow = false, children }) {
  return h(
    "section",
    { class: "sect", "aria-labelledby": id },
    h("div", { class: "sect-h" }, h("h2", { id, tabIndex: -1 }, title), h("p", { class: "any" }, text)),
    h("div", { class: `sect-b ${narrow ? "sect-n" : ""}` }, children),
  );
}

/** @param {{list: ReturnType<typeof useList<SessionSummary>>}} props */
function Sessions({ list }) {
  const words = texts.account;
  const [ending, setEnding] = useState(/** @type {SessionSummary[]} */ ([]));
  const [problem, setProblem] = useState(/** @type {Problem | null} */ (null));
  const { items, state } = list;
  const others = items.filter(({ current }) => !current);
  /** @param {SessionSummary[]} chosen @param {string} done */
  const end = async (chosen, done) => {
    setEnding(chosen);
    setProblem(null);
    try {
      for (const { id } of chosen) {
        await call("DELETE", `api/sessions/${id}`);
        keepFocus("sessions");
        list.change((all) => all.filter((it) => it.id !== id));
      }
      toast(done);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      setProblem(error);
    } finally {
      setEnding([]);
    }
  };
  return [
    items.length === 0 && state === "loading" && h(Skeleton, null),
    h(
      "ul",
      null,
      items.map((session) =>
        h(
          Device,
          { key: session.id, session },
          !session.current &&
            h(
              Button,
              { kind: "btn-s secondary", busy: ending.includes(session), busyText: words.endBusy, onClick: () => void end([session], words.ended) },
              words.end,
              h("span", { class: "vh" }, ` ${deviceName(session.device)}`),
            ),
        ),
      ),
    ),
    problem && h(ProblemNote, { problem }),
    list.problem && h(ListEnd, { list }),
    list.cursor && h("p", { class: "gap-t" }, h(Button, { onClick: list.more }, texts.showMore)),
    others.length > 0 &&
      h(
        "p",
        { class: "gap-t" },
        h(Button, { kind: "btn-s secondary", busy: ending.length > 1, busyText: words.endBusy, onClick: () => void end(others, words.endedOthers) }, words.endOthers),
      ),
  ];
}

/** @param {{changed: () => void}} props */
function Password({ changed }) {
  const words = texts.account;
  const empty = { current: "", new: "" };
  const form = useForm(empty, {
    check: (values) => ({ ...emptyOnes(values, "current", "new"), ...tooShort(values, "new") }),
    submit: async (values) => {
      await call("POST", "api/account/password", { body: values });
      form.setValues(empty);
      toast(words.passwordDone);
      changed();
    },
    explain: ({ code }) => (code === "wrong_password" ? { current: words.passwordWrong } : null),
  });
  return h(
    Form,
    { form },
    h(Username, null),
    h(PasswordField, { ...form.field("current"), label: words.passwordNow, input: { autocomplete: "current-password" } }),
    // On leaving, a message would move the button below while it is pressed.
    h(PasswordField, { ...form.field("new"), onLeave: () => {}, label: words.passwordNew, hint: words.passwordHint, input: { autocomplete: "new-password" } }),
    h("div", null, h(Button, { kind: "primary", type: "submit", busy: form.busy, busyText: words.passwordBusy }, words.passwordSubmit)),
  );
}

function Email() {
  const words = texts.account;
  const [sent, setSent] = useState("");
  const form = useForm(
    { email: "", password: "" },
    {
      check: (values) => emptyOnes(values, "email", "password"),
      submit: async (values) => {
        await call("POST", "api/account/email", { body: values });
        form.setValues({ email: "", password: "" });
        setSent(values.email ?? "");
      },
      explain: ({ code }) => (code === "wrong_password" ? { password: words.passwordWrong } : null),
    },
  );
  return h(
    Form,
    { form },
    h(Username, null),
    sent && h(Note, { kind: "ok" }, h("p", { class: "any" }, words.emailSent(sent))),
    h(Field, { ...form.field("email"), label: words.emailNew, input: { type: "email", autocomplete: "email" } }),
    h(PasswordField, { ...form.field("password"), label: words.password, input: { autocomplete: "current-password" } }),
    h("div", null, h(Button, { type: "submit", busy: form.busy, busyText: words.emailBusy }, words.emailSubmit)),
  );
}

/** @param {{on: boolean, removed: () => void}} props */
function SecondFactor({ on, removed }) {
  const words = texts.account;
  const [open, setOpen] = useState(/** @type {"" | "off" | "codes"} */ (""));
  const close = () => setOpen("");
  const onRemoved = () => {
    close();
    removed();
    toast(words.offDone);
  };
  const state = h(State, { sign: on ? ["dot", "state-live"] : ["slash", "state-off"] }, on ? words.isOn : words.isOff);
  return [
    h(
      "ul",
      null,
      h(
        "li",
        { class: "dev" },
        h(Icon, { name: "phone" }),
        h("div", null, h("p", null, h("b", null, words.app)), h("p", null, state)),
        on
          ? h(Button, { kind: "btn-s quiet-danger", onClick: () => setOpen("off") }, words.turnOff)
          : h("a", { class: "btn btn-s secondary", href: address("/account/second-factor") }, words.turnOn),
      ),
      on &&
        h(
          "li",
          { class: "dev" },
          h(Icon, { name: "copy" }),
          h("div", null, h("p", null, h("b", null, words.codes)), h("p", { class: "muted" }, words.codesWhat)),
          h(Button, { kind: "btn-s secondary", onClick: () => setOpen("codes") }, words.newCodes),
        ),
    ),
    open === "off" && h(TurnOff, { onRemoved, onClose: close }),
    open === "codes" && h(NewCodes, { onClose: close }),
  ];
}

/** A choice of colours, which this browser keeps. `theme.js` shows it. */
function Theme() {
  const [theme, setTheme] = useState(localStorage.getItem("theme") ?? "");
  /** @param {string} chosen */
  const choose = (chosen) => {
    localStorage.setItem("theme", chosen);
    dispatchEvent(new Event("storage")); // which the browser sends to other tabs only
    setTheme(chosen);
  };
  const themes = Object.entries(texts.account.themes);
  return h(
    "fieldset",
    { class: "seg" },
    h("legend", { class: "vh" }, texts.account.theme),
    themes.map(([value, text]) =>
      h("label", { key: value }, h("input", { type: "radio", name: "theme", checked: value === theme, onChange: () => choose(value) }), text),
    ),
  );
}

function Delete() {
  const words = texts.account;
  const [open, setOpen] = useState(false);
  const close = () => setOpen(false);
  const form = useForm(
    { deletePassword: "" },
    {
      check: (values) => emptyOnes(values, "deletePassword"),
      submit: async ({ deletePassword: password }) => {
        await call("DELETE", "api/account", { body: { password } });
        closed(words.deleted);
      },
      explain: ({ code }) => (code === "wrong_password" ? { deletePassword: words.passwordWrong } : null),
    },
  );
  const foot = [
    h(Button, { onClick: close }, words.keepAccount),
    h(Button, { kind: "danger", type: "submit", form: "delete", busy: form.busy, busyText: words.deleteBusy }, words.delete),
  ];
  return [
    h(Button, { kind: "btn-s quiet-danger flush", onClick: () => setOpen(true) }, words.deleteAsk),
    open &&
      h(
        Dialog,
        { title: words.deleteTitle, small: true, alert: true, busy: form.busy, onClose: close, foot },
        h(
          Form,
          { id: "delete", form },
          h("ul", { class: "ticks" }, words.deleteLines.map((line) => h("li", { key: line }, h(Icon, { name: "info" }), h("span", null, line)))),
          h(Username, null),
          h(PasswordField, { ...form.field("deletePassword"), label: words.password, input: { autocomplete: "current-password" } }),
        ),
      ),
  ];
}

/** @param {Problem} problem @returns {Record<string, string> | null} */
function explainFactor({ code }) {
  if (code === "wrong_password") return { factorPassword: texts.account.passwordWrong };
  return code === "wrong_code" || code === "invalid_code" ? { code: texts.code.wrong } : null;
}

const CODE_INPUT = { class: "mono", autocomplete: "one-time-code", autocapitalize: "none", spellcheck: false };

/** @param {{onRemoved: () => void, onClose: () => void}} props */
function TurnOff({ onRemoved, onClose }) {
  const words = texts.account;
  const form = useForm(
    { factorPassword: "", code: "" },
    {
      check: (values) => emptyOnes(values, "factorPassword", "code"),
      submit: async ({ factorPassword: password, code }) => {
        await call("DELETE", "api/account/totp", { body: { password, code } });
        onRemoved();
      },
      explain: explainFactor,
    },
  );
  const foot = [
    h(Button, { onClick: onClose }, words.keep),
    h(Button, { kind: "danger", type: "submit", form: "turn-off", busy: form.busy, busyText: words.offBusy }, words.offSubmit),
  ];
  return h(
    Dialog,
    { title: words.offTitle, small: true, alert: true, busy: form.busy, onClose, foot },
    h(
      Form,
      { id: "turn-off", form },
      h("p", null, words.offWhat),
      h(Username, null),
      h(PasswordField, { ...form.field("factorPassword"), label: words.password, input: { autocomplete: "current-password" } }),
      h(Field, { ...form.field("code"), label: words.anyCode, input: CODE_INPUT }),
    ),
  );
}

/** @param {{onClose: () => void}} props */
function NewCodes({ onClose }) {
  const words = texts.account;
  const [codes, setCodes] = useState(/** @type {string[]} */ ([]));
  const form = useForm(
    { code: "" },
    {
      check: (values) => emptyOnes(values, "code"),
      submit: async ({ code }) => {
        /** @type {import("../contract.d.ts").RecoveryCodesCreated} */
        const answer = await callForJson("POST", "api/account/recovery-codes", { body: { code } });
        setCodes(answer.recovery_codes);
      },
      explain: explainFactor,
    },
  );
  if (codes.length > 0) {
    const foot = h(Button, { kind: "primary", onClick: onClose }, texts.secondFactor.kept);
    const { keepTitle, keepLead } = texts.secondFactor;
    // Closed by its button only, because what it shows is shown once.
    return h(Dialog, { key: "codes", title: keepTitle, busy: true, onClose, foot }, h("p", null, keepLead), h(RecoveryCodes, { codes }));
  }
  const foot = [
    h(Button, { onClick: onClose }, words.cancel),
    h(Button, { kind: "primary", type: "submit", form: "new-codes", busy: form.busy, busyText: words.codesBusy }, words.codesSubmit),
  ];
  return h(
    Dialog,
    { title: words.codesTitle, small: true, busy: form.busy, onClose, foot },
    h(
      Form,
      { id: "new-codes", form },
      h("p", null, words.codesEnd),
      h(Field, { ...form.field("code"), label: words.anyCode, input: CODE_INPUT }),
    ),
  );
}
