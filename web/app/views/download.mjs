// What a link leads to, and the download itself: for whoever has the link, signed in or not.

import { h } from "../../vendor/preact.mjs";
import { useEffect, useState } from "../../vendor/preact-hooks.mjs";
import { jsonOf, Problem, send, withQuery } from "../api.mjs";
import { Button } from "../components/button.mjs";
import { Countdown } from "../components/countdown.mjs";
import { Digest } from "../components/file.mjs";
import { Note, ProblemNote } from "../components/note.mjs";
import { BarePage } from "../components/page.mjs";
import { Facts } from "../components/row.mjs";
import * as downloads from "../downloads.mjs";
import { capital, day, size } from "../format.mjs";
import { save } from "../save.mjs";
import { call } from "../session.mjs";
import { texts } from "../texts.mjs";
import { View as SignIn } from "./sign-in.mjs";

/** @typedef {import("../contract.d.ts").DownloadDetails} DownloadDetails */
/** @typedef {import("../downloads.mjs").Download} Download */

/** @param {import("../views.mjs").ViewProps} props */
export function View({ query, account }) {
  const token = query.get("token") ?? "";
  return h(Link, { key: token, token, account });
}

/** @param {{token: string, account: import("../contract.d.ts").Account | null}} props */
function Link({ token, account }) {
  const words = texts.download;
  const download = useDownload(token);
  const [details, setDetails] = useState(download?.details);
  const [problem, setProblem] = useState(/** @type {Problem | null} */ (null));
  const look = async () => {
    downloads.forget(token);
    setProblem(null);
    const request = account ? call : send;
    try {
      setDetails(await jsonOf(await request("GET", withQuery("download", { token }))));
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      setProblem(error);
    }
  };
  useEffect(() => {
    if (!download) look();
  }, [token, account?.id]);

  const refused = download?.problem ?? problem;
  if (refused) return account || refused.status !== 401 ? h(Refused, { problem: refused, look }) : h(SignIn, null);
  if (!details) return h(BarePage, { title: words.looking, wide: true });
  const { filename, size: bytes, presigned, sha256, max_downloads: of, lease_ends_at: ends, bind } = details;
  const left = of - details.downloads;
  const times = texts.newLink.times(left);
  const waits = !download || download.state === "running" || download.state === "lost";
  const begin = () => downloads.start(token, details);
  return h(
    BarePage,
    { title: filename, lead: size(bytes), wide: true },
    download
      ? h(Progress, { download, begin, look })
      : h(
          "div",
          { class: "dl" },
          h("div", null, h(Button, { kind: "btn-l primary", icon: "download", onClick: begin }, ends ? words.again : words.submit)),
          h("p", { class: "hint" }, ends ? words.begun(day(ends)) : words.uses(left)),
          presigned && h("p", { class: "hint" }, words.large),
        ),
    h(Facts, {
      facts: [
        !ends && !download && [words.works, words.worksText(capital(times), day(details.expires_at))],
        bind && [texts.links.who, words.onlyYou],
        waits && !presigned && [words.breaks, words.breaksText],
        [texts.files.digest, [h(Digest, { digest: sha256 }), waits && !presigned && h("span", { class: "hint" }, words.compared)]],
        [words.recorded, words.recordedText],
      ],
    }),
  );
}

/** The download of this link, as it is now. @param {string} token */
function useDownload(token) {
  const [, setChanges] = useState(0);
  useEffect(() => downloads.watch(() => setChanges((count) => count + 1)), []);
  return downloads.find(token);
}

/** Why there is no file. @param {{problem: Problem, look: () => void}} props */
function Refused({ problem, look }) {
  const words = texts.download;
  const [icon, title = "", lead] = words.ended[/** @type {"link_used"} */ (problem.code)] ?? [];
  if (!icon) return h(BarePage, { title: texts.errors.failedTitle, wide: true }, h(ProblemNote, { problem, retry: look }));
  return h(
    BarePage,
    { title, lead, icon, wide: true },
    problem.code === "lease_ended" && h(Button, { onClick: look }, words.look),
  );
}

/** @param {{download: Download, begin: () => void, look: () => void}} props */
function Progress({ download, begin, look }) {
  const words = texts.download;
  const { state, got, speed, retryAt, digest, details, file } = download;
  useEffect(() => {
    // The button that was pressed is gone.
    if (document.activeElement === document.body) /** @type {HTMLElement | null} */ (document.querySelector("h1"))?.focus();
  }, [state]);
  const way = (/** @type {string} */ text, /** @type {() => void} */ act) =>
    h("div", { class: "acts" }, h(Button, { onClick: act }, text));
  if (state === "done")
    return h(
      "div",
      { class: "dl" },
      h(Note, { kind: "ok", title: words.doneTitle }, h("p", null, words.done), way(words.save, () => file && save(file, details.filename))),
    );
  if (state === "handed")
    return h("div", { class: "dl" }, h(Note, { kind: "info", title: words.handedTitle }, h("p", null, words.handed), way(words.look, look)));
  if (state === "wrong")
    return h(
      "div",
      { class: "dl" },
      h(Note, { kind: "bad", title: words.wrongTitle }, h("p", null, words.wrong), h(Digest, { digest }), way(texts.tryAgain, begin)),
    );
  const lost = state === "lost";
  const share = Math.floor((100 * got) / details.size);
  const quarter = words.percent(share - (share % 25));
  return h(
    "div",
    { class: "dl" },
    lost &&
      h(
        Note,
        { kind: "warn", title: words.lost },
        h("p", null, words.kept),
        way(texts.upload.tryNow, () => downloads.tryNow(download)),
      ),
    h(
      "div",
      { class: "dl-box" },
      h("p", null, h("b", null, lost ? words.stopped : words.running), h("span", null, words.percent(share))),
      h("progress", { class: `prog ${lost ? "prog-off" : ""}`, max: details.size, value: got, "aria-label": words.running }),
      h(
        "p",
        { class: "muted" },
        h("span", null, texts.upload.sent(size(got), size(details.size))),
        lost
          ? h(Countdown, { until: retryAt })
          : speed > 0 && h("span", null, `${texts.upload.speed(size(speed))}, ${texts.upload.left((details.size - got) / speed)}`),
      ),
    ),
    h("p", { class: "hint" }, words.stay),
    h("p", { class: "vh", role: "status" }, lost ? "" : `${words.running}: ${quarter}`),
  );
}
