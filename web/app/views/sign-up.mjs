// Signing up as a Client, and what to do next.

import { h } from "../../vendor/preact.mjs";
import { useState } from "../../vendor/preact-hooks.mjs";
import { Problem, send } from "../api.mjs";
import { Button } from "../components/button.mjs";
import { emptyOnes, Field, Form, PasswordField, tooShort, useForm } from "../components/form.mjs";
import { Note, ProblemNote } from "../components/note.mjs";
import { BarePage } from "../components/page.mjs";
import { address } from "../router.mjs";
import { texts } from "../texts.mjs";

export function View() {
  const words = texts.signUp;
  const form = useForm(
    { username: "", email: "", password: "", sentTo: "", verificationUrl: "" },
    {
      draft: "sign-up",
      check: (values) => ({ ...emptyOnes(values, "username", "email", "password"), ...tooShort(values, "password") }),
      submit: async ({ username, email = "", password }) => {
        const response = await send("POST", "api/users/signup", { body: { username, email, password } });
        const made = /** @type {import("../contract.d.ts").AccountCreated} */ (await response.json());
        form.setValues((all) => ({ ...all, sentTo: email, verificationUrl: made.verification_url ?? "" }));
      },
      explain: ({ code }) => (code === "username_taken" ? { username: words.taken } : null),
    },
  );
  const { sentTo = "", verificationUrl = "" } = form.values;
  const change = () => form.setValues((all) => ({ ...all, sentTo: "" }));
  if (sentTo) return h(CheckMail, { sentTo, verificationUrl, change });
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
        onLeave: () => {}, // a message would move the button below while it is pressed
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

/** @param {{sentTo: string, verificationUrl: string, change: () => void}} props */
function CheckMail({ sentTo, verificationUrl, change }) {
  const words = texts.checkMail;
  const [state, setState] = useState(/** @type {"rest" | "busy" | "done"} */ ("rest"));
  const [problem, setProblem] = useState(/** @type {Problem | null} */ (null));
  const again = async () => {
    setState("busy");
    setProblem(null);
    try {
      await send("POST", "api/account/verification", { body: { email: sentTo } });
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
      lead: [words.sent, h("b", { class: "any" }, sentTo), words.what],
    },
    verificationUrl &&
      h(
        "div",
        { class: "gap-b" },
        h(Note, { kind: "info" }, h("p", null, words.local, h("a", { href: verificationUrl }, words.localLink))),
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
