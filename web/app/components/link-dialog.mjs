// Making a link to a file: its terms, and then the link, which is shown once.

import { h } from "../../vendor/preact.mjs";
import { useState } from "../../vendor/preact-hooks.mjs";
import { day, size } from "../format.mjs";
import { address } from "../router.mjs";
import { callForJson } from "../session.mjs";
import { texts } from "../texts.mjs";
import { Button, CopyButton } from "./button.mjs";
import { Dialog } from "./dialog.mjs";
import { Field, Form, useForm } from "./form.mjs";
import { Icon } from "./icon.mjs";
import { Note } from "./note.mjs";

/** @typedef {import("../contract.d.ts").FileSummary} FileSummary */
/** @typedef {import("../contract.d.ts").LinkCreated} LinkCreated */

const HOUR = 3600;
/** @type {Record<string, number>} */
const SECONDS = { hour: HOUR, day: 24 * HOUR, week: 7 * 24 * HOUR };

/** @param {{file: FileSummary, onClose: () => void}} props */
export function LinkDialog({ file, onClose }) {
  const [link, setLink] = useState(/** @type {LinkCreated | null} */ (null));
  const sub = `${file.filename}, ${size(file.size)}`;
  if (link) return h(Made, { key: "made", link, sub, onClose });
  return h(Terms, { key: "terms", file, sub, onMade: setLink, onClose });
}

/** @param {{file: FileSummary, sub: string, onMade: (link: LinkCreated) => void, onClose: () => void}} props */
function Terms({ file, sub, onMade, onClose }) {
  const words = texts.newLink;
  const form = useForm(
    { max_downloads: "1", period: "hour", expires_in: "12", note: "", bind: "" },
    {
      draft: file.id,
      check,
      submit: async (values) => {
        const { note } = values;
        const body = {
          max_downloads: Number(values.max_downloads),
          expires_in: seconds(values),
          ...(note ? { note } : {}),
          ...(values.bind ? { bind: true } : {}),
        };
        const path = `api/files/generate-download-link/${file.id}`;
        onMade(await callForJson("POST", path, { body }));
      },
    },
  );
  const { values, setValues, busy } = form;
  const { hour, day: oneDay, week, other } = words;
  const periods = Object.entries({ hour, day: oneDay, week, other });
  const choices = periods.map(([period, text]) =>
    h(
      "label",
      { key: period },
      h("input", {
        type: "radio",
        name: "period",
        checked: values.period === period,
        onChange: () => setValues((all) => ({ ...all, period })),
      }),
      text,
    ),
  );
  const correct = Object.keys(check(values)).length === 0;
  const until = new Date(Date.now() + seconds(values) * 1000);
  const foot = [
    h(Button, { onClick: onClose }, words.cancel),
    h(Button, { kind: "primary", type: "submit", form: "terms", busy, busyText: words.busy }, words.submit),
  ];
  return h(
    Dialog,
    { title: words.title, sub, busy, onClose, foot },
    h(
      Form,
      { id: "terms", form },
      h(Field, {
        ...form.field("max_downloads"),
        label: words.downloads,
        hint: words.downloadsHint,
        input: { class: "tiny-in", type: "number", min: 1, max: 100, inputMode: "numeric" },
      }),
      h("fieldset", null, h("legend", null, words.worksFor), h("div", { class: "seg gap-s" }, choices)),
      values.period === "other" &&
        h(Field, {
          ...form.field("expires_in"),
          label: words.hours,
          input: { class: "tiny-in", type: "number", min: 1, inputMode: "numeric" },
        }),
      h(Field, {
        ...form.field("note"),
        label: words.note,
        optional: true,
        hint: words.noteHint,
        aside: h("span", { class: "hint" }, words.noteCount(values.note?.length ?? 0)),
        input: { maxLength: 200, autocomplete: "off" },
      }),
      h(
        "div",
        { class: "check" },
        h("input", {
          type: "checkbox",
          id: "bind",
          checked: values.bind !== "",
          "aria-describedby": "bind-hint",
          onChange: () => setValues((all) => ({ ...all, bind: all.bind ? "" : "yes" })),
        }),
        h("label", { for: "bind" }, words.bind),
        h("p", { class: "hint", id: "bind-hint" }, words.bindHint),
      ),
      h(
        "p",
        { class: "terms", role: "status" },
        correct && [
          h("b", null, values.bind ? words.onlyYou : words.anyone),
          words.can,
          h("b", null, words.times(Number(values.max_downloads))),
          words.until,
          h("b", { class: "nowrap" }, day(until.toISOString())),
          ".",
        ],
      ),
    ),
  );
}

/** @param {Record<string, string>} values */
function check({ max_downloads: downloads = "", period, expires_in: hours = "" }) {
  /** @type {Record<string, string>} */
  const wrong = {};
  if (!/^\d{1,3}$/.test(downloads) || Number(downloads) < 1 || Number(downloads) > 100)
    wrong.max_downloads = texts.newLink.downloadsWrong;
  if (period === "other" && (!/^\d{1,5}$/.test(hours) || Number(hours) < 1))
    wrong.expires_in = texts.newLink.hoursWrong;
  return wrong;
}

/** @param {Record<string, string>} values */
function seconds({ period = "", expires_in: hours }) {
  return SECONDS[period] ?? Number(hours) * HOUR;
}

/** @param {{link: LinkCreated, sub: string, onClose: () => void}} props */
function Made({ link, sub, onClose }) {
  const words = texts.madeLink;
  const [copied, setCopied] = useState(false);
  const [warned, setWarned] = useState(false);
  const close = () => (copied || warned ? onClose() : setWarned(true));
  const foot = h(Button, { onClick: close }, warned && !copied ? words.closeAnyway : words.done);
  const used = () => setCopied(true);
  const token = new URL(link.page_url).searchParams.get("token") ?? "";
  const download = address("/download", { token });
  const tick = (/** @type {string} */ icon, /** @type {import("preact").ComponentChildren} */ text) =>
    h("li", null, h(Icon, { name: icon }), h("span", null, text));
  return h(
    Dialog,
    { title: words.title, sub, onClose: close, foot },
    h(
      "div",
      { class: "form" },
      h(
        "div",
        { class: "field" },
        h("span", { class: "label-row" }, h("b", { id: "link-label" }, words.link), h("span", { class: "hint" }, words.onlyNow)),
        h("p", { class: "secret", id: "link", tabIndex: 0, role: "textbox", "aria-readonly": "true", "aria-labelledby": "link-label" }, link.page_url),
      ),
      h(
        "div",
        { class: "acts" },
        h(CopyButton, { text: link.page_url, kind: "btn primary", onCopied: used }, words.copy),
        h("a", { class: "btn secondary", href: download, target: "_blank", rel: "noreferrer", onClick: used }, h(Icon, { name: "download" }), words.download),
      ),
      warned && !copied && h(Note, { kind: "warn" }, h("p", null, words.unsaved)),
      h(
        "ul",
        { class: "ticks" },
        tick("ok", [words.works, h("b", null, texts.newLink.times(link.max_downloads)), words.forWhom, h("b", null, link.bind ? words.onlyYou : words.anyone), words.until, h("b", null, day(link.expires_at)), "."]),
        tick("retry", words.resume),
        tick("info", [words.noCopy, h("a", { href: address("/links") }, texts.menu.links), "."]),
      ),
    ),
  );
}
