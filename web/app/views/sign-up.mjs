// Signing up as a Client, and what to do next.

import { h } from "../../vendor/preact.mjs";
import { useState } from "../../vendor/preact-hooks.mjs";
import { Problem, send } from "../api.mjs";
import { Button } from "../components/button.mjs";
import { emptyOnes, Field, Form, PasswordField, useForm } from "../components/form.mjs";
import { Note, ProblemNote } from "../components/note.mjs";
import { BarePage } from "../components/page.mjs";
import { address } from "../router.mjs";
import { texts } from "../texts.mjs";

/** @typedef {{email: string, verificationUrl: string}} Sent */

export function View() {
  const words = texts.signUp;
  const [sent, setSent] = useState(/** @type {Sent | null} */ (null));
  const form = useForm(
    { username: "", email: "", password: "" },
    {
      check: (values) => emptyOnes(values, "username", "email", "password"),
      submit: async (values) => {
        const response = await send("POST", "api/users/signup", { body: values });
        const made = /** @type {import("../contract.d.ts").AccountCreated} */ (await response.json());
        setSent({ email: values.email ?? "", verificationUrl: made.verification_url ?? "" });
      },
      explain: ({ code }) => (code === "username_taken" ? { username: words.taken } : null),
    },
  );
  if (sent) return h(CheckMail, { sent, change: () => setSent(null) });
  return h(
    BarePage,
    { title: words.title, lead: words.lead },
    h(
      Form,
      { form },
      h(Field, {
        ...form.field("username"),
        label: words.username,
        hint: words.usernameHint,
        input: { autocomplete: "username", autocapitalize: "none", spellcheck: false },
      }),
      h(Field, {
        ...form.field("email"),
        label: words.email,
        hint: words.emailHint,
        input: { type: "email", autocomplete: "email" },
      }),
      h(PasswordField, {
        ...form.field("password"),
        label: words.password,
        hint: words.passwordHint,
        input: { autocomplete: "new-password" },
      }),
      h(Button, { kind: "btn-l primary btn-w", type: "submit", busy: form.busy, busyText: words.busy }, words.submit),
    ),
    h(
      "div",
      { class: "after" },
      h("p", null, `${words.have} `, h("a", { href: address("/sign-in") }, words.signIn)),
    ),
  );
}

/** @param {{sent: Sent, change: () => void}} props */
function CheckMail({ sent, change }) {
  const words = texts.checkMail;
  const [state, setState] = useState(/** @type {"rest" | "busy" | "done"} */ ("rest"));
  const [problem, setProblem] = useState(/** @type {Problem | null} */ (null));
  const again = async () => {
    setState("busy");
    setProblem(null);
    try {
      await send("POST", "api/account/verification", { body: { email: sent.email } });
      setState("done");
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      setProblem(error);
      setState("rest");
    }
  };
  return h(
    BarePage,
    {
      title: words.title,
      icon: "mail",
      lead: [words.sent, h("b", { class: "any" }, sent.email), words.what],
    },
    sent.verificationUrl &&
      h(
        "div",
        { class: "gap-b" },
        h(Note, { kind: "info" }, h("p", null, words.local, h("a", { href: sent.verificationUrl }, words.localLink))),
      ),
    problem && h(ProblemNote, { problem }),
    h(
      "div",
      { class: "acts" },
      h(Button, { onClick: again, busy: state === "busy", busyText: words.againBusy }, words.again),
      h(Button, { kind: "quiet", onClick: change }, words.change),
    ),
    h("p", { class: "hint", role: "status" }, state === "done" && words.againDone),
    h("div", { class: "after" }, h("p", null, words.spam), h("p", null, words.known)),
  );
}
