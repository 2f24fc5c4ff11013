// What uploads and downloads share: how fast bytes move, and the pause before the next attempt.

import { Problem } from "./api.mjs";

/** The longest pause before the next attempt, in milliseconds. */
const LONGEST_PAUSE = 30_000;
/** The milliseconds over which speed is measured. */
const SPEED_OF = 5000;

/** A function that takes how many bytes have moved by now, and gives the bytes a second. */
export function speedometer() {
  let samples = [{ at: Date.now(), bytes: 0 }];
  /** @param {number} bytes */
  return (bytes) => {
    const at = Date.now();
    samples = [...samples.filter((sample) => at - sample.at < SPEED_OF), { at, bytes }];
    const first = samples[0] ?? { at, bytes };
    return at > first.at ? (Math.max(0, bytes - first.bytes) * 1000) / (at - first.at) : 0;
  };
}

/** Whether another attempt can succeed where one has failed. @param {Problem} problem */
export const passes = ({ status }) => status === 0 || status === 429 || status >= 500;

/**
 * The milliseconds to wait after so many failures in a row, or as long as the last one asks for.
 * @param {number} failures
 * @param {unknown} error
 */
export function pauseAfter(failures, error) {
  const asked = error instanceof Problem ? error.retryAfter * 1000 : 0;
  return Math.max(asked, Math.min(LONGEST_PAUSE, 1000 * 2 ** failures));
}

/** Ends sooner when `signal` aborts, or when the network is back. @param {number} time @param {AbortSignal} signal */
export function delay(time, signal) {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      removeEventListener("online", end);
      resolve(undefined);
    };
    const timer = setTimeout(end, time);
    signal.addEventListener("abort", end);
    addEventListener("online", end);
  });
}
