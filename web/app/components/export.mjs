// A file with all that is held about an account.

import { h } from "../../vendor/preact.mjs";
import { useState } from "../../vendor/preact-hooks.mjs";
import { Problem } from "../api.mjs";
import { save } from "../save.mjs";
import { callForJson } from "../session.mjs";
import { texts } from "../texts.mjs";
import { Button } from "./button.mjs";
import { ProblemNote } from "./note.mjs";
import { toast } from "./toast.mjs";

/** @param {{path: string, username: string}} props */
export function ExportButton({ path, username }) {
  const words = texts.export;
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState(/** @type {Problem | null} */ (null));
  const press = async () => {
    setBusy(true);
    setProblem(null);
    try {
      /** @type {{cut: string[]}} */
      const held = await callForJson("GET", path);
      save(new Blob([JSON.stringify(held, null, 2)], { type: "application/json" }), `${username}.json`);
      if (held.cut.length > 0) toast(words.cut);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      setProblem(error);
    } finally {
      setBusy(false);
    }
  };
  return [
    h(Button, { kind: "btn-s secondary", icon: "download", busy, busyText: words.busy, onClick: () => void press() }, words.submit),
    problem && h(ProblemNote, { problem }),
  ];
}
