// Forms: fields with their messages, and the summary above them.

import { h } from "../../vendor/preact.mjs";
import { useEffect, useLayoutEffect, useRef, useState } from "../../vendor/preact-hooks.mjs";
import { Problem } from "../api.mjs";
import { current } from "../session.mjs";
import { capital } from "../format.mjs";
import { texts } from "../texts.mjs";
import { Icon } from "./icon.mjs";
import { ProblemNote } from "./note.mjs";

/** @typedef {Record<string, string>} Texts by the names of fields */

/** What was typed before a reload, if it can be read. @param {string} key @returns {Texts} */
function kept(key) {
  try {
    const values = Object.entries(JSON.parse(sessionStorage.getItem(key) ?? "{}"));
    return Object.fromEntries(values.filter(([, value]) => typeof value === "string"));
  } catch {
    return {};
  }
}

/**
 * The state of a form: what is typed, what is wrong with it, and whether it is being sent.
 * @param {Texts} initial
 * @param {{check: (values: Texts) => Texts, submit: (values: Texts) => Promise<unknown>,
 *   explain?: (problem: Problem) => Texts | null, draft?: string}} rules
 *   `check` gives messages for fields that are wrong. `explain` does so for a refusal, and null when
 *   the refusal is not about fields. A form with a `draft`, which names it: what is typed, but for a
 *   password, is there again after a reload, and after signing in again.
 */
export function useForm(initial, { check, submit, explain, draft }) {
  const [owner] = useState(current().account?.id);
  const key = `draft ${owner} ${draft}`;
  const [values, setValues] = useState(/** @returns {Texts} */ () => ({ ...initial, ...(draft && kept(key)) }));
  // At once, or a reload could come before.
  useLayoutEffect(() => {
    if (draft) sessionStorage.setItem(key, JSON.stringify({ ...values, password: "" }));
  }, [values]);
  useEffect(() => () => void (current().account?.id === owner && sessionStorage.removeItem(key)), []);
  const [wrong, setWrong] = useState(/** @type {Texts} */ ({}));
  const [problem, setProblem] = useState(/** @type {Problem | null} */ (null));
  const [busy, setBusy] = useState(false);
  const [attempts, setAttempts] = useState(0);

  /** @param {Texts} messages */
  const refuse = (messages) => {
    setWrong(messages);
    setAttempts((count) => count + 1);
  };

  /** @param {string} name */
  const field = (name) => ({
    id: name,
    value: values[name] ?? "",
    wrong: wrong[name] ?? "",
    // The message goes while typing, because on leaving it would move the button that is being pressed.
    onInput: (/** @type {string} */ value) => {
      setValues((all) => ({ ...all, [name]: value }));
      setWrong(({ [name]: _, ...others }) => others);
    },
    // What the service has refused stays: `check` knows nothing of it.
    onLeave: () => {
      const message = values[name] && check(values)[name];
      if (message) setWrong((all) => ({ ...all, [name]: message }));
    },
  });

  const send = async () => {
    if (busy) return;
    const messages = check(values);
    setProblem(null);
    if (Object.keys(messages).length > 0) return refuse(messages);
    setWrong({});
    setBusy(true);
    try {
      await submit(values);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      const told = explain?.(error) ?? ofFields(error, values);
      if (told) refuse(told);
      else setProblem(error);
    } finally {
      setBusy(false);
    }
  };

  return { values, setValues, wrong, problem, busy, attempts, field, send };
}

/**
 * The messages of a refusal that names fields of the form, and no others.
 * @param {Problem} problem
 * @param {Texts} values
 */
function ofFields(problem, values) {
  const known = problem.fields.filter(({ field }) => field in values);
  if (known.length === 0 || known.length < problem.fields.length) return null;
  return Object.fromEntries(known.map(({ field, message }) => [field, `${capital(message)}.`]));
}

/**
 * @param {{id?: string, form: ReturnType<typeof useForm>,
 *   children?: import("preact").ComponentChildren}} props
 */
export function Form({ id, form, children }) {
  /** @param {SubmitEvent} event */
  const onSubmit = (event) => {
    event.preventDefault();
    form.send();
  };
  return h(
    "form",
    { class: "form", id, noValidate: true, onSubmit },
    h(Summary, { wrong: form.wrong, attempts: form.attempts }),
    form.problem && h(ProblemNote, { problem: form.problem }),
    children,
  );
}

/** @param {string} name of a field */
const labelOf = (name) => document.querySelector(`label[for="${name}"]`)?.textContent ?? "";

/** What is wrong, with a way to each field. It takes the focus at each refusal. */
function Summary(/** @type {{wrong: Texts, attempts: number}} */ { wrong, attempts }) {
  const box = useRef(/** @type {HTMLDivElement | null} */ (null));
  useEffect(() => {
    if (attempts > 0) box.current?.focus();
  }, [attempts]);
  const entries = Object.entries(wrong);
  if (attempts === 0 || entries.length === 0) return null;
  /** @param {MouseEvent} event @param {string} name */
  const lead = (event, name) => {
    event.preventDefault(); // the hash is the address of the view
    document.getElementById(name)?.focus();
  };
  return h(
    "div",
    { class: "sum", role: "alert", tabIndex: -1, ref: box },
    h("h2", null, texts.summary(entries.length)),
    h(
      "ul",
      null,
      entries.map(([name, message]) =>
        h("li", { key: name }, h("a", { href: `#${name}`, onClick: (/** @type {MouseEvent} */ event) => lead(event, name) }, texts.wrongField(labelOf(name), message))),
      ),
    ),
  );
}

/**
 * @typedef {object} FieldProps
 * @property {string} id
 * @property {string} value
 * @property {string} wrong
 * @property {(value: string) => void} onInput
 * @property {() => void} onLeave
 * @property {string} label
 * @property {string} [hint]
 * @property {boolean} [optional]
 * @property {import("preact").ComponentChildren} [aside] stands beside the label
 * @property {import("preact").ComponentChildren} [after] stands below the input
 * @property {Record<string, unknown>} [input] attributes of the input
 */

/** @param {FieldProps} props */
export function Field(props) {
  return h(Labelled, props, h("input", attributes(props)), props.after);
}

/** @param {FieldProps} props */
export function PasswordField(props) {
  const [shown, setShown] = useState(false);
  const toggle = h(
    "button",
    {
      class: "btn btn-s quiet",
      type: "button",
      "aria-pressed": String(shown),
      "aria-label": texts.signIn.showPassword,
      onClick: () => setShown(!shown),
    },
    shown ? texts.signIn.hide : texts.signIn.show,
  );
  const type = shown ? "text" : "password";
  const input = h("input", { ...attributes(props), type, autocapitalize: "none", spellcheck: false });
  return h(Labelled, props, h("span", { class: "with-btn" }, input, toggle));
}

/** @param {FieldProps} props */
function attributes({ id, value, wrong, onInput, onLeave, hint, input }) {
  const described = [hint && `${id}-hint`, wrong && `${id}-wrong`].filter(Boolean).join(" ");
  const { class: more, ...others } = input ?? {};
  return {
    class: `input ${more ?? ""}`,
    id,
    name: id,
    value,
    onInput: (/** @type {InputEvent} */ event) =>
      onInput(/** @type {HTMLInputElement} */ (event.currentTarget).value),
    onBlur: onLeave,
    "aria-invalid": wrong ? "true" : undefined,
    "aria-describedby": described || undefined,
    ...others,
  };
}

/** @param {FieldProps & {children?: import("preact").ComponentChildren}} props */
function Labelled({ id, label, hint, wrong, optional, aside, children }) {
  const text = h("label", { for: id }, label, optional && h("span", { class: "opt" }, ` ${texts.optional}`));
  return h(
    "div",
    { class: "field", "data-bad": wrong ? "" : undefined },
    aside ? h("div", { class: "label-row" }, text, aside) : text,
    hint && h("p", { class: "hint", id: `${id}-hint` }, hint),
    wrong &&
      h(
        "p",
        { class: "err", id: `${id}-wrong` },
        h(Icon, { name: "alert" }),
        h("span", null, h("span", { class: "vh" }, texts.error), wrong),
      ),
    children,
  );
}

/**
 * Messages for the fields of `names` that are empty.
 * @param {Texts} values
 * @param {string[]} names
 */
export function emptyOnes(values, ...names) {
  const empty = names.filter((name) => !values[name]);
  return Object.fromEntries(empty.map((name) => [name, texts.errors.empty]));
}

/**
 * A message for the field `name` when the password in it is shorter than any may be.
 * @param {Texts} values
 * @param {string} name
 * @returns {Texts}
 */
export function tooShort(values, name) {
  const { length } = [...(values[name] ?? "").normalize("NFC")];
  return length > 0 && length < 8 ? { [name]: texts.errors.tooShort } : {};
}
