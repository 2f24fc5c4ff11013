// Uploading: many files with one set of terms, and what becomes of each.

import { h } from "../../vendor/preact.mjs";
import { useEffect, useRef, useState } from "../../vendor/preact-hooks.mjs";
import { Button } from "../components/button.mjs";
import { Countdown } from "../components/countdown.mjs";
import { FileKind } from "../components/file.mjs";
import { Field, Form, useForm } from "../components/form.mjs";
import { Icon } from "../components/icon.mjs";
import { Page } from "../components/page.mjs";
import { State } from "../components/state.mjs";
import { checkRecipients, explainRecipients, NEW_TERMS, TermsFields, termsOf, Tick } from "../components/terms.mjs";
import { size } from "../format.mjs";
import { texts } from "../texts.mjs";
import * as transfers from "../transfers.mjs";

/** @typedef {import("../transfers.mjs").Upload} Upload */

export function View() {
  const words = texts.upload;
  const uploads = useUploads();
  return h(
    Page,
    { title: words.title },
    h(
      "div",
      { class: "split" },
      h(
        "section",
        { "aria-labelledby": "uploads-title" },
        h(Drop, null),
        h("div", { class: "gap-t" }, h(Import, null)),
        h(
          "div",
          { class: "ups-h" },
          h("h2", { id: "uploads-title", tabIndex: -1 }, uploads.length > 0 ? words.listed(uploads.length) : words.nothing),
          h("p", { class: "small muted", role: "status" }, summary(uploads)),
        ),
        h(Spoken, { uploads }),
        uploads.length > 0
          ? h("ul", null, uploads.map((upload) => h(Row, { key: upload.key, upload })))
          : h("p", { class: "hint" }, words.continues),
      ),
      h(Terms, { count: uploads.filter(transfers.canStart).length }),
    ),
  );
}

/** The uploads of this tab, as they are now. */
function useUploads() {
  const [, setChanges] = useState(0);
  useEffect(() => transfers.watch(() => setChanges((count) => count + 1)), []);
  return transfers.list();
}

/** @param {Upload[]} uploads */
function summary(uploads) {
  const count = (/** @type {Upload["state"][]} */ ...states) =>
    uploads.filter(({ state }) => states.includes(state)).length;
  return texts.upload.summary({
    ready: count("available"),
    moving: count("queued", "sending", "lost", "fetching", "checking"),
    paused: count("paused"),
    waiting: count("waiting"),
    failed: count("failed", "rejected"),
  });
}

/** A button that files can also be dropped on, or anywhere else on the page. */
function Drop() {
  const words = texts.upload;
  const input = useRef(/** @type {HTMLInputElement | null} */ (null));
  const [over, setOver] = useState(false);
  useEffect(() => {
    /** @param {DragEvent} event */
    const drag = (event) => {
      event.preventDefault();
      setOver(event.type === "dragover");
    };
    /** @param {DragEvent} event */
    const drop = (event) => {
      drag(event);
      transfers.add(event.dataTransfer?.files ?? []);
    };
    addEventListener("dragover", drag);
    addEventListener("dragleave", drag);
    addEventListener("drop", drop);
    return () => {
      removeEventListener("dragover", drag);
      removeEventListener("dragleave", drag);
      removeEventListener("drop", drop);
    };
  }, []);
  const onChange = () => {
    if (!input.current) return;
    transfers.add(input.current.files ?? []);
    input.current.value = ""; // so that the same file can be chosen again
  };
  return h(
    "div",
    { class: "drop", "data-over": over ? "" : undefined },
    h("div", null, h("p", null, h("b", null, words.drop)), h("p", { class: "hint", id: "drop-hint" }, words.dropHint)),
    h("input", { type: "file", multiple: true, hidden: true, ref: input, onChange, "aria-label": words.choose }),
    h(
      "button",
      { class: "btn secondary", id: "choose", type: "button", "aria-describedby": "drop-hint", onClick: () => input.current?.click() },
      words.choose,
    ),
  );
}

/** The address of a file that the service fetches. */
function Import() {
  const words = texts.upload;
  const form = useForm(
    { url: "" },
    {
      check: ({ url = "" }) => (URL.canParse(url) ? {} : { url: words.importWrong }),
      submit: async ({ url = "" }) => {
        transfers.addImport(url);
        form.setValues({ url: "" });
      },
    },
  );
  return h(
    Form,
    { form },
    h(Field, {
      ...form.field("url"),
      onLeave: () => {}, // a message would move the button below while it is pressed
      label: words.importLink,
      hint: words.importHint,
      input: { type: "url", autocomplete: "off" },
      after: h("div", { class: "acts gap-s" }, h(Button, { type: "submit" }, words.importAdd)),
    }),
  );
}

/** Says aloud when an upload begins, has come a quarter further, and is done. @param {{uploads: Upload[]}} props */
function Spoken({ uploads }) {
  const words = texts.upload;
  const before = useRef(/** @type {Map<number, string>} */ (new Map()));
  const [text, setText] = useState("");
  useEffect(() => {
    for (const { key, name, state, sent, size: all } of uploads) {
      const now =
        state === "sending" && all > 0 ? words.begun(name, Math.floor((sent / all) * 4) * 25) : state === "available" ? words.readyNow(name) : "";
      if (!now || before.current.get(key) === now) continue;
      before.current.set(key, now);
      setText(now);
    }
  });
  return h("p", { class: "vh", role: "status" }, text);
}

/** @param {{upload: Upload}} props */
function Row({ upload }) {
  const words = texts.upload;
  const { url, name, state, sent, size: all } = upload;
  const button = (/** @type {string} */ icon, /** @type {string} */ text, /** @type {() => void} */ act) =>
    h(
      "button",
      { class: "btn btn-s quiet nowrap", type: "button", onClick: act },
      h(Icon, { name: icon }),
      text,
      h("span", { class: "vh" }, ` ${name}`),
    );
  const again = () => transfers.resume(upload);
  const remove = () => {
    transfers.remove(upload);
    document.getElementById("uploads-title")?.focus();
  };
  const failedLater = state === "failed" && upload.reason !== words.unreadable;
  const stays = ["checking", "available", "rejected", "failed", "waiting"].includes(state);
  const begun = ["sending", "lost", "paused", "fetching", "checking"].includes(state);
  const off = state === "paused" || state === "lost";
  return h(
    "li",
    { class: "up" },
    h(FileKind, { filename: name }),
    h(
      "div",
      null,
      h("p", { class: "up-name" }, h("bdi", null, name)),
      begun &&
        h("progress", {
          class: `prog prog-s ${off ? "prog-off" : ""}`,
          max: all || 1,
          // Without a value, it moves without an end in sight.
          ...(state === "checking" || url ? {} : { value: sent }),
          "aria-label": words.progress(name),
        }),
      h(Said, { upload }),
    ),
    h(
      "div",
      { class: "up-act" },
      state === "sending" && button("pause", words.pause, () => transfers.pause(upload)),
      state === "paused" && button("play", words.resume, again),
      state === "lost" && button("retry", words.tryNow, again),
      failedLater && button("retry", words.tryAgain, again),
      h(
        "button",
        {
          class: "btn btn-i btn-s plain",
          type: "button",
          "aria-label": stays ? words.remove(name) : words.cancel(name),
          onClick: remove,
        },
        h(Icon, { name: "x" }),
      ),
    ),
  );
}

/** What is said about an upload below its name. @param {{upload: Upload}} props */
function Said({ upload }) {
  const words = texts.upload;
  const { url, state, sent, speed, reason } = upload;
  const all = upload.size ? size(upload.size) : url;
  const of = [size(sent), all];
  const [there = "", whole = ""] = of;
  if (state === "failed" || state === "rejected")
    return h(
      "p",
      { class: "up-bad", role: "alert" },
      h(Icon, { name: "alert" }),
      h("span", null, state === "rejected" ? words.rejected(reason) : reason),
    );
  /** @type {import("preact").ComponentChildren} */
  const said = {
    waiting: () => h("span", null, words.waiting(all)),
    queued: () => h("span", null, words.queued(all)),
    paused: () => h("span", null, words.paused(there, whole)),
    lost: () => [h("span", null, words.lost(there, whole)), h(Countdown, { until: upload.retryAt })],
    fetching: () => [h("span", null, words.fetching), h("span", { class: "any" }, all)],
    checking: () => h("span", null, words.checking),
    available: () => [
      h(State, { sign: ["ok", "state-live"] }, words.ready),
      h("span", null, words.checked(all)),
    ],
    sending: () => [
      h("span", null, words.sent(there, whole)),
      speed > 0 && h("span", null, words.speed(size(speed))),
      speed > 0 && h("span", null, words.left((upload.size - sent) / speed)),
    ],
  }[state]();
  return h("p", { class: "meta num" }, said);
}

/** Who gets the files, until when. @param {{count: number}} props how many files wait */
function Terms({ count }) {
  const words = texts.upload;
  const form = useForm(
    { ...NEW_TERMS, tellMe: "" },
    {
      draft: "upload",
      check: (values) => ({ ...checkRecipients(values), ...(count > 0 ? {} : { choose: words.noFiles }) }),
      explain: explainRecipients,
      submit: (values) => transfers.start(startOf(values)),
    },
  );
  // What was said about files that are missing goes when there are some.
  useEffect(() => form.field("choose").onInput(""), [count]);
  return h(
    Form,
    { form },
    h(TermsFields, { form }),
    h(Tick, { form, name: "tellMe", text: words.tellMe, hint: words.tellMeHint }),
    h(
      "div",
      { class: "field" },
      h(Button, { kind: "btn-l btn-w primary", type: "submit" }, words.submit(count)),
      h("p", { class: "hint" }, words.submitHint),
    ),
  );
}

/** As `upload_create` takes them. Who gets the files is always said. @param {Record<string, string>} values */
function startOf(values) {
  return { ...termsOf(values, { ...NEW_TERMS, to: "" }), ...(values.tellMe ? { notify: true } : {}) };
}
