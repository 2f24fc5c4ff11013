// Setting up a second factor: the password, the key and a first code, then the recovery codes.

import { h } from "../../vendor/preact.mjs";
import { useEffect, useRef, useState } from "../../vendor/preact-hooks.mjs";
import { Button, CopyButton } from "../components/button.mjs";
import { emptyOnes, Field, Form, PasswordField, useForm } from "../components/form.mjs";
import { Page } from "../components/page.mjs";
import { QrCode } from "../components/qr.mjs";
import { RecoveryCodes } from "../components/recovery-codes.mjs";
import { toast } from "../components/toast.mjs";
import { Username } from "../components/username.mjs";
import { address, go } from "../router.mjs";
import { callForJson } from "../session.mjs";
import { texts } from "../texts.mjs";

/** @typedef {import("../contract.d.ts").TotpCreated} TotpCreated */

/** @param {import("../views.mjs").ViewProps} props */
export function View({ account }) {
  const words = texts.secondFactor;
  const [made, setMade] = useState(/** @type {TotpCreated | null} */ (null));
  const [codes, setCodes] = useState(/** @type {string[] | null} */ (null));
  const finish = () => {
    go("/account");
    toast(words.done);
  };
  const crumb = h(
    "nav",
    { class: "crumb", "aria-label": words.crumb },
    h("a", { href: address("/account") }, texts.account.title),
  );
  if (codes)
    return h(
      Page,
      { title: words.keepTitle, lead: words.keepLead },
      h(RecoveryCodes, { codes }),
      h("p", { class: "gap-t" }, h(Button, { kind: "primary", onClick: finish }, words.kept)),
    );
  if (account?.second_factor && !made)
    return h(Page, { title: words.onTitle, lead: [words.onLead, h("a", { href: address("/account") }, texts.account.title), "."] });
  return h(
    Page,
    { title: words.title, lead: words.lead },
    crumb,
    h("div", { class: "gap-t" }, made ? h(Confirm, { made, next: setCodes }) : h("div", { class: "sect-n" }, h(Password, { next: setMade }))),
  );
}

/** @param {{next: (made: TotpCreated) => void}} props */
function Password({ next }) {
  const words = texts.secondFactor;
  const form = useForm(
    { password: "" },
    {
      check: (values) => emptyOnes(values, "password"),
      submit: async ({ password }) => next(await callForJson("POST", "api/account/totp", { body: { password } })),
      explain: ({ code }) => {
        if (code === "wrong_password") return { password: texts.account.passwordWrong };
        return code === "second_factor_present" ? { password: words.present } : null;
      },
    },
  );
  return h(
    Form,
    { form },
    h(Username, null),
    h(PasswordField, { ...form.field("password"), label: words.passwordStep, input: { autocomplete: "current-password" } }),
    h("div", null, h(Button, { kind: "primary", type: "submit", busy: form.busy, busyText: texts.code.busy }, words.passwordSubmit)),
  );
}

/** @param {{made: TotpCreated, next: (codes: string[]) => void}} props */
function Confirm({ made, next }) {
  const words = texts.secondFactor;
  const step = useRef(/** @type {HTMLHeadingElement | null} */ (null));
  useEffect(() => step.current?.focus(), []);
  const form = useForm(
    { code: "" },
    {
      check: (values) => emptyOnes(values, "code"),
      submit: async ({ code = "" }) => {
        const body = { code: code.replaceAll(" ", "") };
        /** @type {import("../contract.d.ts").TotpConfirmed} */
        const answer = await callForJson("POST", "api/account/totp/confirm", { body });
        next(answer.recovery_codes);
      },
      explain: ({ code }) => (code === "wrong_code" ? { code: texts.code.wrong } : null),
    },
  );
  const key = made.secret.match(/.{1,4}/g) ?? [];
  return h(
    "ol",
    { class: "steps read-w" },
    h(
      "li",
      null,
      h(
        "div",
        null,
        h("h2", { tabIndex: -1, ref: step }, words.scanStep),
        h("p", null, words.once),
        h(
          "div",
          { class: "qr-row" },
          h(QrCode, { text: made.uri, label: words.qr }),
          h(
            "div",
            null,
            h("p", { class: "muted" }, words.key),
            h("p", { class: "gap-s any" }, h("code", null, key.join(" "))),
            h("p", null, h(CopyButton, { text: made.secret }, words.copyKey)),
          ),
        ),
      ),
    ),
    h(
      "li",
      { class: "now" },
      h(
        "div",
        null,
        h("h2", null, words.codeStep),
        h(
          Form,
          { form },
          h(Field, {
            ...form.field("code"),
            label: texts.code.label,
            input: { class: "code-in", inputMode: "numeric", autocomplete: "one-time-code", maxLength: 7 },
          }),
          h("div", null, h(Button, { kind: "primary", type: "submit", busy: form.busy, busyText: texts.code.busy }, words.codeSubmit)),
        ),
      ),
    ),
  );
}
