// Who gets a file: names that are typed one after the other, with those that are known proposed.

import { h } from "../../vendor/preact.mjs";
import { texts } from "../texts.mjs";
import { Field } from "./form.mjs";
import { Icon } from "./icon.mjs";
import { useList } from "./list.mjs";

/** @param {string} value with commas between the names */
export const namesIn = (value) => value.split(",").map((name) => name.trim()).filter(Boolean);

/**
 * Groups, and whom this account's files are for already, are proposed. What is before the last comma of
 * the field's value are names, and what is behind it is being typed.
 * @param {{field: ReturnType<ReturnType<typeof import("./form.mjs").useForm>["field"]>}} props
 */
export function Recipients({ field }) {
  const words = texts.terms;
  /** @type {ReturnType<typeof useList<import("../contract.d.ts").GroupDetails>>} */
  const groups = useList("api/admin/groups");
  /** @type {ReturnType<typeof useList<import("../contract.d.ts").FileDetails>>} */
  const files = useList("api/files/uploaded");
  const named = files.items.flatMap(({ recipients }) => (recipients === "everyone" ? [] : recipients));
  const end = field.value.lastIndexOf(",") + 1;
  const chosen = namesIn(field.value.slice(0, end));
  const typed = field.value.slice(end).trimStart();
  const known = new Set([...groups.items.map(({ name }) => `group:${name}`), ...named]);
  for (const name of chosen) known.delete(name);
  const put = (/** @type {string[]} */ names, text = "") => field.onInput([...names, text].join(","));

  /** @param {InputEvent} event */
  const onInput = ({ currentTarget, inputType }) => {
    const { value } = /** @type {HTMLInputElement} */ (currentTarget);
    // What is chosen from the list is no typing.
    put(chosen, known.has(value) && !/^(insertText|delete)/.test(inputType) ? `${value},` : value);
  };
  /** @param {KeyboardEvent} event */
  const onKeyDown = (event) => {
    if (event.key === "Backspace" && !typed && chosen.length > 0) put(chosen.slice(0, -1));
  };
  const remove = (/** @type {string} */ name) => {
    put(chosen.filter((it) => it !== name), typed);
    document.getElementById(field.id)?.focus();
  };
  const chips =
    chosen.length > 0 &&
    h(
      "ul",
      { class: "acts gap-s" },
      chosen.map((name) =>
        h(
          "li",
          { key: name, class: "chip" },
          h("bdi", { class: "any" }, name),
          h("button", { type: "button", "aria-label": words.remove(name), onClick: () => remove(name) }, h(Icon, { name: "x" })),
        ),
      ),
    );
  return h(Field, {
    ...field,
    label: words.recipients,
    hint: words.recipientsHint,
    input: { value: typed, list: "known", autocomplete: "off", autocapitalize: "none", spellcheck: false, onInput, onKeyDown },
    after: [h("datalist", { id: "known" }, [...known].map((name) => h("option", { key: name, value: name }))), chips],
  });
}
