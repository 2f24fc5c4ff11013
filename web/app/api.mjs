// Requests to the API. Every answer that is not a success becomes a `Problem`.

import { texts } from "./texts.mjs";

/**
 * @typedef {object} Sent
 * @property {unknown} [body] sent as JSON
 * @property {string} [token] the bearer
 * @property {Record<string, string>} [headers] besides
 * @property {AbortSignal} [signal]
 */

/** The code of a problem when there was no answer. */
export const OFFLINE = "offline";

/** A refusal, or a failure on the way. */
export class Problem extends Error {
  /**
   * @param {number} status 0 when there was no answer
   * @param {string} code as in docs/errors.md, or `OFFLINE`
   * @param {string} detail a sentence
   * @param {Partial<{requestId: string, challenge: string, retryAfter: number,
   *   fields: {field: string, message: string}[]}>} [more]
   */
  constructor(status, code, detail, more = {}) {
    super(detail);
    this.status = status;
    this.code = code;
    this.requestId = more.requestId ?? "";
    this.challenge = more.challenge ?? "";
    /** Seconds to wait before the next attempt; 0 when nothing is said. */
    this.retryAfter = more.retryAfter ?? 0;
    this.fields = more.fields ?? [];
    this.at = new Date();
  }
}

/**
 * One request. The address is relative to the page, because a stage has a path of its own. The events
 * `reached` and `unreached` say whether there was an answer.
 * @param {string} method
 * @param {string} path such as `api/links`
 * @param {Sent} [sent]
 * @returns {Promise<Response>}
 */
export async function send(method, path, { body, token, signal, headers: more } = {}) {
  /** @type {Record<string, string>} */
  const headers = { accept: "application/json", ...more };
  if (token) headers.authorization = `Bearer ${token}`;
  if (body !== undefined) headers["content-type"] = "application/json";
  const content = body === undefined ? null : JSON.stringify(body);
  let response;
  try {
    response = await fetch(path, { method, headers, body: content, signal: signal ?? null });
  } catch (error) {
    if (signal?.aborted) throw error;
    dispatchEvent(new Event("unreached"));
    throw new Problem(0, OFFLINE, texts.errors.offline);
  }
  dispatchEvent(new Event("reached"));
  if (!response.ok) throw await problem(response);
  return response;
}

/**
 * The JSON of an answer. What is none comes from elsewhere, such as a network that asks for a sign-in.
 * @param {Response} response
 */
export const jsonOf = (response) =>
  response.json().catch(() => {
    throw new Problem(0, OFFLINE, texts.errors.offline);
  });

/** @param {Response} response */
async function problem(response) {
  const said = await response.json().catch(() => ({}));
  return new Problem(response.status, said.code ?? "", said.detail ?? texts.errors.unknown, {
    requestId: said.request_id ?? "",
    challenge: said.challenge ?? "",
    retryAfter: Number(response.headers.get("retry-after")) || 0,
    fields: said.errors ?? [],
  });
}

/**
 * The cursor of the next page of a list, from the header `Link`; an empty text at the end.
 * @param {Response} response
 */
export function nextCursor(response) {
  const address = /<([^>]*)>;\s*rel="next"/.exec(response.headers.get("link") ?? "")?.[1];
  return address ? (new URL(address).searchParams.get("cursor") ?? "") : "";
}

/**
 * @param {string} path
 * @param {Record<string, string>} query empty texts are left out
 */
export function withQuery(path, query) {
  const given = Object.entries(query).filter(([, value]) => value !== "");
  const text = new URLSearchParams(given).toString();
  return text ? `${path}?${text}` : path;
}
