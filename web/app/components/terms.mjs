// The terms of a file: who gets it, until when, and a note. They are those of an upload, and can be
// changed later.

import { h } from "../../vendor/preact.mjs";
import { day } from "../format.mjs";
import { callForJson } from "../session.mjs";
import { texts } from "../texts.mjs";
import { Button } from "./button.mjs";
import { Dialog } from "./dialog.mjs";
import { Field, Form, useForm } from "./form.mjs";
import { namesIn, Recipients } from "./recipients.mjs";
import { Select } from "./select.mjs";

/**
 * @typedef {import("../contract.d.ts").FileDetails} FileDetails
 * @typedef {import("./form.mjs").Texts} Texts
 */

const DAY = 86_400;

/** The terms that a form of an upload begins with. */
export const NEW_TERMS = { to: "everyone", recipients: "", tellThem: "", days: "0", note: "" };

/** @param {{form: ReturnType<typeof useForm>, ends?: Texts}} props `ends` has further choices of the end */
export function TermsFields({ form, ends = {} }) {
  const words = texts.terms;
  const { values } = form;
  const radio = (/** @type {string} */ to, /** @type {string} */ text) =>
    h(
      "div",
      { class: "check" },
      h("input", { type: "radio", name: "to", id: `to-${to}`, checked: values.to === to, onChange: () => form.field("to").onInput(to) }),
      h("label", { for: `to-${to}` }, text),
    );
  return [
    h(
      "fieldset",
      { class: "radios" },
      h("legend", { class: "gap-b" }, words.who),
      radio("everyone", words.everyone),
      radio("some", words.some),
    ),
    values.to === "some" && h(Recipients, { field: form.field("recipients") }),
    values.to === "some" && h(Tick, { form, name: "tellThem", text: words.tellThem }),
    h(Select, {
      id: "days",
      label: words.until,
      value: values.days ?? "",
      options: { ...ends, ...words.ends },
      hint: words.endHint,
      onChange: form.field("days").onInput,
    }),
    h(Field, {
      ...form.field("note"),
      label: words.note,
      optional: true,
      hint: words.noteHint,
      aside: h("span", { class: "hint" }, texts.newLink.noteCount(values.note?.length ?? 0)),
      input: { maxLength: 200, autocomplete: "off" },
    }),
  ];
}

/** A box to tick. @param {{form: ReturnType<typeof useForm>, name: string, text: string, hint?: string}} props */
export function Tick({ form, name, text, hint }) {
  const { value, onInput } = form.field(name);
  return h(
    "div",
    { class: "check" },
    h("input", {
      type: "checkbox",
      id: name,
      checked: value === "yes",
      "aria-describedby": hint && `${name}-hint`,
      onChange: () => onInput(value ? "" : "yes"),
    }),
    h("label", { for: name }, text),
    hint && h("p", { class: "hint", id: `${name}-hint` }, hint),
  );
}

/**
 * The terms that differ from those before, as `upload_create`, `import_create` and `file_change` take
 * them.
 * @param {Texts} values
 * @param {Texts} before
 */
export function termsOf(values, before) {
  const { to, recipients = "", tellThem, days, note = "" } = values;
  return {
    ...(to === before.to && recipients === before.recipients
      ? {}
      : { recipients: to === "some" ? namesIn(recipients) : "everyone" }),
    ...(tellThem === before.tellThem ? {} : { notify_recipients: tellThem === "yes" }),
    ...(days === before.days ? {} : { expires_in: Number(days) * DAY }),
    ...(note.trim() === before.note ? {} : { note: note.trim() }),
  };
}

/**
 * What is wrong with whom a file is for. Nobody is right only where it is for nobody already.
 * @param {Texts} values
 * @param {Texts} [before]
 * @returns {Texts}
 */
export function checkRecipients({ to, recipients = "" }, before) {
  if (to !== "some") return {};
  const words = texts.terms;
  const names = namesIn(recipients);
  const wrong = names.find((name) => !/^[^\s@]+(@[^\s@]+)?$/.test(name));
  if (wrong) return { recipients: words.noRecipient(wrong) };
  const nobody = names.length === 0 && !(before?.to === "some" && before.recipients === "");
  return nobody ? { recipients: before ? words.nobody : texts.errors.empty } : {};
}

/** The refusal of whom a file is for. @param {import("../api.mjs").Problem} problem */
export function explainRecipients({ fields }) {
  const wrong = fields.find(({ field }) => field === "recipients");
  return wrong ? { recipients: texts.terms.refused(wrong.message) } : null;
}

/**
 * Changes the terms of a file.
 * @param {{file: FileDetails, onChanged: (file: FileDetails) => void, onClose: () => void}} props
 */
export function TermsDialog({ file, onChanged, onClose }) {
  const words = texts.changeTerms;
  const { id, filename, recipients, notify_recipients: tells, note, expires_at: end } = file;
  const before = {
    to: recipients === "everyone" ? recipients : "some",
    recipients: recipients === "everyone" ? "" : recipients.map((name) => `${name},`).join(""),
    tellThem: tells ? "yes" : "",
    days: "",
    note: note ?? "",
  };
  const form = useForm(before, {
    check: (values) => checkRecipients(values, before),
    explain: explainRecipients,
    submit: async (values) =>
      onChanged(await callForJson("PATCH", `api/files/${id}`, { body: termsOf(values, before) })),
  });
  const { busy } = form;
  const foot = [
    h(Button, { onClick: onClose }, texts.confirm.cancel),
    h(Button, { kind: "primary", type: "submit", form: "terms", busy, busyText: texts.confirm.busy }, words.submit),
  ];
  const ends = { "": words.asItIs(end ? day(end) : texts.uploads.noEnd) };
  return h(
    Dialog,
    { title: words.title, sub: filename, busy, onClose, foot },
    h(Form, { id: "terms", form }, h(TermsFields, { form, ends })),
  );
}
