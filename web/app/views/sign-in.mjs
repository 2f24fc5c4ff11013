// Signing in: name and password, then a code where the account has a second factor, or its set-up
// where the role needs one.

import { h } from "../../vendor/preact.mjs";
import { useState } from "../../vendor/preact-hooks.mjs";
import { Problem, send } from "../api.mjs";
import { Button, CopyButton } from "../components/button.mjs";
import { emptyOnes, Field, Form, PasswordField, useForm } from "../components/form.mjs";
import { Note } from "../components/note.mjs";
import { BarePage } from "../components/page.mjs";
import { RecoveryCodes } from "../components/recovery-codes.mjs";
import { address } from "../router.mjs";
import { begin, current } from "../session.mjs";
import { texts } from "../texts.mjs";

/** @typedef {{step: "password" | "code" | "enrolment", challenge: string, note: string}} Step */

/** @type {Step} */
const FIRST = { step: "password", challenge: "", note: "" };

export function View() {
  const [{ step, challenge, note }, setStep] = useState(FIRST);
  const back = (/** @type {string} */ why) => setStep({ ...FIRST, note: why });
  if (step === "code") return h(Code, { challenge, back });
  if (step === "enrolment") return h(Enrolment, { challenge, back });
  return h(Password, { note, next: setStep });
}

/** @param {{note: string, next: (step: Step) => void}} props */
function Password({ note, next }) {
  const words = texts.signIn;
  const form = useForm(
    { who: "", password: "" },
    {
      check: (values) => emptyOnes(values, "who", "password"),
      submit: async ({ who = "", password }) => {
        const name = who.includes("@") ? { email: who } : { username: who };
        const body = { ...name, password, cookie: true };
        await begin(await (await send("POST", "api/sessions", { body })).json());
      },
      explain: ({ code, challenge }) => {
        if (code === "invalid_credentials") return { who: words.wrong };
        if (code === "second_factor_required") next({ step: "code", challenge, note: "" });
        else if (code === "second_factor_enrolment_required")
          next({ step: "enrolment", challenge, note: "" });
        else return null;
        return {};
      },
    },
  );
  const said = note || current().ended;
  return h(
    BarePage,
    { title: words.title, lead: words.lead },
    said && h("div", { class: "gap-b" }, h(Note, { kind: "info" }, h("p", null, said))),
    h(
      Form,
      { form },
      h(Field, {
        ...form.field("who"),
        label: words.who,
        input: { autocomplete: "username", autocapitalize: "none", spellcheck: false },
      }),
      h(PasswordField, {
        ...form.field("password"),
        label: words.password,
        aside: h("a", { href: address("/forgotten") }, words.forgot),
        input: { autocomplete: "current-password" },
      }),
      h(Button, { kind: "btn-l primary btn-w", type: "submit", busy: form.busy, busyText: words.busy }, words.submit),
    ),
    h(
      "div",
      { class: "after" },
      h("p", null, `${words.newHere} `, h("a", { href: address("/sign-up") }, words.signUp)),
      h("p", null, words.invited),
    ),
  );
}

/** @param {{challenge: string, back: (why: string) => void}} props */
function Code({ challenge, back }) {
  const words = texts.code;
  const [recovery, setRecovery] = useState(false);
  const form = useForm(
    { code: "" },
    {
      check: (values) => emptyOnes(values, "code"),
      submit: async ({ code }) => {
        const body = { challenge, code, cookie: true };
        await begin(await (await send("POST", "api/sessions", { body })).json());
      },
      explain: (problem) => explainCode(problem, back),
    },
  );
  const other = recovery ? words.useApp : words.useRecovery;
  return h(
    BarePage,
    {
      title: recovery ? words.recoveryTitle : words.title,
      lead: recovery ? words.recoveryLead : words.lead,
    },
    h(
      Form,
      { form },
      // Keys, because the length of the one input must not limit the other.
      recovery
        ? h(Field, { key: "recovery", ...form.field("code"), label: words.recoveryLabel, hint: words.recoveryHint, input: { class: "mono", autocomplete: "off", spellcheck: false } })
        : h(Field, { key: "app", ...form.field("code"), label: words.label, hint: words.hint, input: CODE_INPUT }),
      h(
        "div",
        { class: "acts" },
        h(Button, { kind: "btn-l primary", type: "submit", busy: form.busy, busyText: words.busy }, words.submit),
        h(Button, { kind: "btn-l quiet", onClick: () => back("") }, words.back),
      ),
    ),
    h(
      "div",
      { class: "after" },
      h("p", null, `${recovery ? words.phone : words.noPhone} `, h("button", { class: "copy", type: "button", onClick: () => setRecovery(!recovery) }, other)),
      h("p", null, words.neither),
    ),
  );
}

const CODE_INPUT = { class: "code-in", inputMode: "numeric", autocomplete: "one-time-code", maxLength: 7 };

/**
 * @param {Problem} problem
 * @param {(why: string) => void} back
 */
function explainCode({ code }, back) {
  if (code === "invalid_code" || code === "wrong_code") return { code: texts.code.wrong };
  if (!["invalid_challenge", "token_expired", "invalid_token"].includes(code)) return null;
  back(texts.code.late);
  return {};
}

/** @param {{challenge: string, back: (why: string) => void}} props */
function Enrolment({ challenge, back }) {
  const words = texts.enrolment;
  const [made, setMade] = useState(/** @type {import("../contract.d.ts").TotpCreated | null} */ (null));
  const [confirmed, setConfirmed] = useState(
    /** @type {import("../contract.d.ts").TotpConfirmed | null} */ (null),
  );
  const form = useForm(
    { code: "" },
    {
      check: (values) => (made ? emptyOnes(values, "code") : {}),
      submit: async ({ code }) => {
        const path = made ? "api/account/totp/confirm" : "api/account/totp";
        const body = made ? { code, cookie: true } : {};
        const answer = await (await send("POST", path, { body, token: challenge })).json();
        if (made) setConfirmed(answer);
        else setMade(answer);
      },
      explain: (problem) => explainCode(problem, back),
    },
  );
  if (confirmed) {
    const go = () => void (confirmed.session && begin(confirmed.session));
    return h(
      BarePage,
      { title: words.codesTitle, lead: words.codesLead },
      h(RecoveryCodes, { codes: confirmed.recovery_codes }),
      h("p", { class: "gap-t" }, h(Button, { kind: "primary", onClick: go }, words.kept)),
    );
  }
  const submit = h(
    "div",
    { class: "acts" },
    h(Button, { kind: "btn-l primary", type: "submit", busy: form.busy, busyText: texts.code.busy }, texts.code.submit),
    h(Button, { kind: "btn-l quiet", onClick: () => back("") }, texts.code.back),
  );
  if (!made) return h(BarePage, { title: words.title, lead: words.lead }, h(Form, { form }, submit));
  return h(
    BarePage,
    { title: words.title, lead: words.secretHint },
    h(
      Form,
      { form },
      h(
        "div",
        { class: "field" },
        h("b", { id: "secret-label" }, words.secret),
        h("p", { class: "secret", tabIndex: 0, role: "textbox", "aria-readonly": "true", "aria-labelledby": "secret-label" }, made.secret),
        h("div", { class: "acts" }, h(CopyButton, { text: made.secret }, words.copySecret)),
      ),
      h(Field, { ...form.field("code"), label: texts.code.label, input: CODE_INPUT }),
      submit,
    ),
  );
}
