// What a button does that takes a while and can fail.

import { useState } from "../../vendor/preact-hooks.mjs";
import { Problem } from "../api.mjs";

/** Whether it is being done, why it failed at last, and `run`, which does it. */
export function useAction() {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState(/** @type {Problem | null} */ (null));
  /** @param {() => Promise<unknown>} act */
  const run = async (act) => {
    setBusy(true);
    setProblem(null);
    try {
      await act();
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      setProblem(error);
    } finally {
      setBusy(false);
    }
  };
  return { busy, problem, run };
}
