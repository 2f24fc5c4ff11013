// A forgotten password: a link to set a new one goes to the address.

import { h } from "../../vendor/preact.mjs";
import { send } from "../api.mjs";
import { Button } from "../components/button.mjs";
import { emptyOnes, Field, Form, useForm } from "../components/form.mjs";
import { BarePage } from "../components/page.mjs";
import { address } from "../router.mjs";
import { texts } from "../texts.mjs";

export function View() {
  const words = texts.forgotten;
  const form = useForm(
    { email: "", sentTo: "" },
    {
      draft: "forgotten",
      check: (values) => emptyOnes(values, "email"),
      submit: async ({ email = "" }) => {
        await send("POST", "api/account/password-reset", { body: { email } });
        form.setValues({ email, sentTo: email });
      },
    },
  );
  const back = h("a", { class: "btn btn-l quiet", href: address("/sign-in") }, words.back);
  const { sentTo } = form.values;
  if (sentTo) {
    const lead = [words.sent, h("b", { class: "any" }, sentTo), words.what];
    return h(BarePage, { title: words.sentTitle, icon: "mail", lead }, back);
  }
  return h(
    BarePage,
    { title: words.title, lead: words.lead },
    h(
      Form,
      { form },
      h(Field, {
        ...form.field("email"),
        label: words.email,
        input: { type: "email", autocomplete: "email" },
      }),
      h(
        "div",
        { class: "acts" },
        h(Button, { kind: "btn-l primary", type: "submit", busy: form.busy, busyText: words.busy }, words.submit),
        back,
      ),
    ),
  );
}
