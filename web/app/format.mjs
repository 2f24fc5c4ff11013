// Sizes, times and digests as people read them.

import { texts } from "./texts.mjs";

// To make one of these takes longer than to write a row of a list.
const WHOLE_NUMBER = new Intl.NumberFormat(texts.language, { maximumFractionDigits: 0 });
const TENTHS = new Intl.NumberFormat(texts.language, { maximumFractionDigits: 1 });
const CLOCK = new Intl.DateTimeFormat(texts.language, { hour: "2-digit", minute: "2-digit" });
const DATE = new Intl.DateTimeFormat(texts.language, { day: "numeric", month: "short" });
const DATE_AND_YEAR = new Intl.DateTimeFormat(texts.language, { day: "numeric", month: "short", year: "numeric" });
const MOMENT = new Intl.DateTimeFormat(texts.language, {
  day: "numeric",
  month: "long",
  year: "numeric",
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  timeZoneName: "short",
});
const SECOND = new Intl.DateTimeFormat(texts.language, {
  day: "numeric",
  month: "short",
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
});

const UNITS = ["bytes", "KB", "MB", "GB", "TB"];

/**
 * A size with a decimal unit, such as `2.4 MB`.
 * @param {number} bytes
 */
export function size(bytes) {
  let unit = 0;
  let value = bytes;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const number = unit > 0 && value < 99.95 ? TENTHS : WHOLE_NUMBER;
  return `${number.format(value)} ${UNITS[unit]}`;
}

const DAY = 86_400_000;

/** @param {Date} date */
const midnight = (date) => new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();

/**
 * `today at 15:44`, `tomorrow at 09:52`, or the date.
 * @param {string} moment in RFC 3339
 */
export function day(moment) {
  const date = new Date(moment);
  const days = Math.round((midnight(date) - midnight(new Date())) / DAY);
  const near = texts.days[/** @type {"-1" | "0" | "1"} */ (String(days))];
  if (near) return near(CLOCK.format(date));
  return (date.getFullYear() === new Date().getFullYear() ? DATE : DATE_AND_YEAR).format(date);
}

/**
 * The whole moment with its zone, such as `12 November 2026 at 14:02:09 CET`.
 * @param {string} moment in RFC 3339
 */
export const wholeMoment = (moment) => MOMENT.format(new Date(moment));

/**
 * Day and time to the second, such as `12 Nov, 14:02:51`.
 * @param {string} moment in RFC 3339
 */
export const second = (moment) => SECOND.format(new Date(moment));

/** @param {string} text */
export const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

/**
 * The extension of a name, as its label says it: four letters at most.
 * @param {string} filename
 */
export function extension(filename) {
  return /\.([A-Za-z0-9]{1,4})$/.exec(filename)?.[1]?.toUpperCase() ?? "";
}

/** The SHA-256 in hexadecimal digits. @param {Blob} bytes */
export async function digest(bytes) {
  const hash = await crypto.subtle.digest("SHA-256", await bytes.arrayBuffer());
  return [...new Uint8Array(hash)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** What a `User-Agent` says, and how people call it. The first that fits counts. */
const BROWSERS = [["Edg/", "Edge"], ["OPR/", "Opera"], ["Firefox/", "Firefox"], ["Chrome/", "Chrome"], ["Safari/", "Safari"]];
const SYSTEMS = [["iPhone", "iPhone"], ["iPad", "iPad"], ["Android", "Android"], ["Windows", "Windows"], ["Mac OS X", "macOS"], ["Linux", "Linux"]];

/** Such as `Firefox on Windows`, or the name of a program. @param {string} agent */
export function deviceName(agent) {
  const first = (/** @type {string[][]} */ names) => names.find(([mark = ""]) => agent.includes(mark))?.[1];
  const [browser, system] = [first(BROWSERS), first(SYSTEMS)];
  if (browser) return system ? texts.account.on(browser, system) : browser;
  return agent.split("/")[0]?.slice(0, 60) || texts.account.unknownDevice;
}
