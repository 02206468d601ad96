/**
 * Reference client for study, for browsers: opens a session, reports what was played, and loses no report it ever made.
 *
 * A report is kept in the journal before it is sent, and until the server says that it is durable. After a reload, a broken
 * network or a wiped broker it is sent again, with its receipt, and keeps its time. No dependencies; the same as
 * yanxiu/client/study.py in Python.
 */

const KEY = "yanxiu.study.";
const MOST_SEGMENTS = 200;
// Answers after which the same request may succeed later: too many, no server behind the gateway, no answer in time.
const LATER = new Set([429, 502, 503, 504]);
const FIRST_INTERVAL_SECONDS = 30;
const LONGEST_INTERVAL_SECONDS = 300;
const RENEW_BEFORE_SECONDS = 120;
// How far the position may run ahead of the time between two looks, for a player tells it late; a longer step was a seek.
const LONGEST_STEP_SECONDS = 2.5;
// A player that stops may tell a position a few frames before the one it told last; nobody went back.
const LONGEST_JITTER_SECONDS = 0.5;

/** The server said no; `code` is stable. */
export class RefusedError extends Error {
  constructor(status, code, detail) {
    super(`${status} ${code}: ${detail}`);
    this.status = status;
    this.code = code;
  }
}

/** No answer, or one that asks for patience; what was asked may have happened, and may be asked again. */
export class NotReachedError extends Error {}

/** The session was taken over by another device, or is a day old: open a new one. */
export class StudyEndedError extends Error {}

/** The reports of one study session, in a Storage (localStorage), written before anything is sent. */
export class StudyJournal {
  constructor(storage, session) {
    this.storage = storage;
    this.state = { session, lastSeq: 0, durableSeq: 0, reports: [] };
  }

  /** Every journal that earlier pages left behind. */
  static all(storage) {
    const found = [];
    for (let index = 0; index < storage.length; index += 1) {
      const key = storage.key(index);
      if (!key.startsWith(KEY)) continue;
      try {
        const state = JSON.parse(storage.getItem(key));
        const journal = new StudyJournal(storage, state.session);
        journal.state = state;
        found.push(journal);
      } catch {
        // Half written by a crash: it was never sent, for sending comes after writing.
      }
    }
    return found;
  }

  /** Reports that are not durable yet, oldest first. */
  unconfirmed() {
    return [...this.state.reports];
  }

  /** Give the report its seq and keep it. Call before sending. */
  save(segments) {
    const report = { seq: this.state.lastSeq + 1, segments, receipt: "" };
    this.state.lastSeq = report.seq;
    this.state.reports.push(report);
    this.write();
    return report;
  }

  accept(seq, receipt) {
    const report = this.state.reports.find((kept) => kept.seq === seq);
    if (report) report.receipt = receipt;
    this.write();
  }

  /** The server has recorded everything up to here for good: forget it. */
  makeDurable(durableSeq) {
    this.state.durableSeq = Math.max(this.state.durableSeq, durableSeq);
    this.state.reports = this.state.reports.filter((report) => report.seq > this.state.durableSeq);
    this.write();
  }

  write() {
    this.storage.setItem(KEY + this.state.session.study_session_id, JSON.stringify(this.state));
  }

  remove() {
    this.storage.removeItem(KEY + this.state.session.study_session_id);
  }
}

/** One teacher's client. `accessToken()` gives a valid token and is asked again when the server refuses one. */
export class StudyClient {
  constructor({ address = "", accessToken, storage, fetch = (...args) => globalThis.fetch(...args) }) {
    this.address = address.replace(/\/$/, "");
    this.accessToken = accessToken;
    this.storage = storage;
    this.fetch = fetch;
    this.token = "";
    this.clientId = storage.getItem("yanxiu.client") ?? `web-${crypto.randomUUID()}`;
    storage.setItem("yanxiu.client", this.clientId);
  }

  /**
   * Begin to study a video. Where another device is studying, RefusedError `learning.session_elsewhere` says so: offer
   * the teacher to count here, and open again with `takeOver`.
   */
  async open(activityId, { takeOver = false } = {}) {
    const body = { activity_id: activityId, client_id: this.clientId, take_over: takeOver };
    const journal = new StudyJournal(this.storage, await this.ask("POST", "/study-sessions", body));
    journal.write();
    return new StudySession(this, journal);
  }

  /** Bring home what earlier pages could not send; returns how many journals are settled. Call when a page loads. */
  async recover() {
    let settled = 0;
    for (const journal of StudyJournal.all(this.storage)) {
      const session = new StudySession(this, journal);
      try {
        await session.resend();
        await session.renew();
        if (session.isDurable()) {
          journal.remove();
          settled += 1;
        }
      } catch (error) {
        // Only what will never be taken any more is forgotten; a server in trouble may take it tomorrow.
        if (!(error instanceof StudyEndedError || error.code?.startsWith("learning."))) continue;
        journal.remove();
        settled += 1;
      }
    }
    return settled;
  }

  /** The JSON answer. One key for all tries of one request, so that a repetition is harmless. */
  async ask(method, path, body, { keepalive = false } = {}) {
    const key = crypto.randomUUID();
    let response = await this.send(method, path, body, key, keepalive);
    if (response.status === 401) {
      this.token = "";
      response = await this.send(method, path, body, key, keepalive);
    }
    if (LATER.has(response.status)) throw new NotReachedError(`${response.status} ${path}`);
    const answer = await response.json().catch(() => ({}));
    if (!response.ok) throw new RefusedError(response.status, answer.code ?? "", answer.detail ?? "");
    return answer;
  }

  async send(method, path, body, key, keepalive) {
    this.token ||= await this.accessToken();
    const headers = {
      Authorization: `Bearer ${this.token}`,
      "Content-Type": "application/json",
      "Idempotency-Key": key,
    };
    try {
      return await this.fetch(`${this.address}/api/v1${path}`, {
        method,
        headers,
        body: JSON.stringify(body ?? {}),
        keepalive,
      });
    } catch (error) {
      throw new NotReachedError(String(error));
    }
  }
}

/** A study session as its client sees it. */
export class StudySession {
  constructor(client, journal) {
    this.client = client;
    this.journal = journal;
    this.opened = journal.state.session;
    this.playToken = this.opened.play_token;
    this.sending = Promise.resolve(true);
  }

  get path() {
    return `/study-sessions/${this.opened.study_session_id}`;
  }

  /** Report stretches in the order they were played; whether all is accepted now. If not, `flush` later. */
  async report(segments, options) {
    for (let start = 0; start < segments.length; start += MOST_SEGMENTS) {
      this.journal.save(segments.slice(start, start + MOST_SEGMENTS));
    }
    return this.flush(options);
  }

  /**
   * Send every report that has no receipt yet, oldest first, one sender at a time; whether all are accepted.
   *
   * Throws RefusedError for a report that the server will never take, StudyEndedError when the session is over and some
   * report was never accepted: that time is lost.
   */
  flush(options) {
    const run = () => this.sendAll((report) => !report.receipt, options);
    this.sending = this.sending.then(run, run);
    return this.sending;
  }

  /** Send again all that is not durable, with receipts: for a broker that has lost what it had accepted. */
  resend() {
    const run = () => this.sendAll(() => true);
    this.sending = this.sending.then(run, run);
    return this.sending;
  }

  async sendAll(isWanted, options) {
    try {
      for (const report of this.journal.unconfirmed().filter(isWanted)) await this.sendOne(report, options);
    } catch (error) {
      if (error instanceof NotReachedError) return false;
      throw error;
    }
    return true;
  }

  async sendOne(report, options) {
    let answer;
    try {
      answer = await this.post(report, options);
    } catch (error) {
      if (error.code !== "learning.play_token_expired") throw error;
      if ((await this.renew()).state !== "LIVE") throw new StudyEndedError(this.opened.study_session_id);
      answer = await this.post(report, options);
    }
    this.journal.accept(report.seq, answer.receipt);
  }

  post(report, options) {
    const body = {
      play_token: this.playToken,
      seq: report.seq,
      segments: report.segments.map(([from, to]) => ({ from, to })),
      ...(report.receipt ? { receipt: report.receipt } : {}),
    };
    return this.client.ask("POST", `${this.path}/segments`, body, options);
  }

  /** Answer a quiz. What was watched before it is reported first, so that its time lies before the answer. */
  async answer(quizId, answers) {
    await this.flush();
    return this.client.ask("POST", `${this.path}/answers`, { quiz_id: quizId, answers });
  }

  /** Answer a presence prompt; tells when the next one comes. */
  confirmPresence() {
    return this.client.ask("POST", `${this.path}/presence`);
  }

  /** A fresh play token, and forget what is durable by now. */
  async renew() {
    const renewed = await this.client.ask("POST", `${this.path}/token`);
    this.journal.makeDurable(renewed.durable_seq);
    if (renewed.play_token) {
      this.playToken = renewed.play_token;
      this.opened.play_token = renewed.play_token;
      this.journal.write();
    }
    return renewed;
  }

  isDurable() {
    return this.journal.state.reports.length === 0;
  }
}

/** Collects what is played as whole seconds, in playing order; what is played twice between two reports is told once. */
export class Watching {
  constructor(durationSeconds) {
    this.duration = durationSeconds;
    this.stretches = [];
    this.current = null;
  }

  /** The player has come to `position` by playing; the last look was `elapsed` ago (both in seconds). */
  at(position, elapsed = 0) {
    const step = this.current ? position - this.current[1] : Infinity;
    if (step >= -LONGEST_JITTER_SECONDS && step <= elapsed + LONGEST_STEP_SECONDS) {
      this.current[1] = Math.max(this.current[1], position);
    } else {
      this.begin(position);
    }
  }

  /** Sought `elapsed` after the last look: what was played in between stands in the element's own ranges. */
  leaveOff(played, elapsed) {
    if (!this.current) return;
    const end = this.current[1];
    for (let index = 0; index < (played?.length ?? 0); index += 1) {
      const isHere = played.start(index) <= end && end <= played.end(index);
      if (isHere) this.current[1] = Math.min(played.end(index), end + elapsed);
    }
  }

  /** What is played next is another stretch, and begins at `position`. */
  begin(position) {
    this.cut();
    this.current = [position, position];
  }

  cut() {
    if (this.current) this.stretches.push(this.current);
    this.current = null;
  }

  /** The segments since the last call; the running stretch goes on from its last whole second. */
  take() {
    const stretches = [...this.stretches];
    this.stretches = [];
    if (this.current) {
      const whole = Math.floor(this.current[1]);
      stretches.push([this.current[0], whole]);
      this.current = [Math.max(this.current[0], whole), this.current[1]];
    }
    const told = [];
    for (const [begin, end] of stretches) {
      // Only seconds that were played whole.
      const segment = [Math.ceil(begin), Math.min(Math.floor(end), this.duration)];
      told.push(...without(segment, told));
    }
    return told;
  }
}

/** The parts of a segment that none of the others covers. */
function without(segment, others) {
  let parts = [segment];
  for (const [begin, end] of others) {
    parts = parts.flatMap(([from, to]) => [
      [from, Math.min(to, begin)],
      [Math.max(from, end), to],
    ]);
  }
  return parts.filter(([from, to]) => from < to);
}

/**
 * Watches a media element and reports by itself: in growing intervals, on pause, when the page is hidden, and when it goes.
 *
 * `onPrompt()` asks the teacher whether they are there (then call `confirmPresence`); `onEnded()`: another device counts
 * now, offer to count here; `onRefused(error)`: a report that the server will never take.
 */
export class PlayerReporter {
  constructor(session, media, page, { onPrompt, onEnded, onRefused, timers = globalThis, clock = () => performance.now() } = {}) {
    Object.assign(this, { session, media, page, onPrompt, onEnded, onRefused, timers, clock });
    this.lookedAt = clock();
    this.watching = new Watching(session.opened.duration_seconds);
    this.interval = FIRST_INTERVAL_SECONDS;
    this.longest = Math.min(LONGEST_INTERVAL_SECONDS, session.opened.silence_limit_seconds / 2);
    this.listeners = [];
  }

  /** Call while the player stands still: a page that is busy when playing begins learns of it seconds later. */
  start() {
    this.look();
    for (const name of ["play", "timeupdate", "seeking"]) this.listen(this.media, name, () => this.look());
    // A pause does not move the position: the second that it falls into goes on when playing does.
    for (const name of ["pause", "ended"]) this.listen(this.media, name, () => this.now());
    // The page may never run again: the journal is written first, and the request outlives the page.
    this.listen(this.page, "visibilitychange", () => this.page.visibilityState === "hidden" && this.now({ keepalive: true }));
    this.listen(this.page, "pagehide", () => this.now({ keepalive: true }));
    this.plan();
    this.planRenewal(this.session.opened.expires_in_seconds);
    this.planPrompt(this.session.opened.prompt_in_seconds);
  }

  stop() {
    for (const [target, name, handler] of this.listeners) target.removeEventListener(name, handler);
    for (const timer of [this.reporting, this.renewing, this.prompting]) this.timers.clearTimeout(timer);
    return this.now();
  }

  /** Report what was played up to this moment; false when it has to wait. */
  async now(options) {
    // The last look may have been a quarter of a second ago, in the second before.
    this.look();
    const segments = this.watching.take();
    try {
      return segments.length ? await this.session.report(segments, options) : await this.session.flush(options);
    } catch (error) {
      if (error instanceof StudyEndedError) this.onEnded?.();
      else if (error instanceof RefusedError) this.onRefused?.(error);
      else throw error;
      return false;
    }
  }

  /** Where the player stands. A position was reached by playing unless it is being sought: then playing begins there. */
  look() {
    const now = this.clock();
    // A busy page looks late; what was played meanwhile was played.
    const elapsed = (now - this.lookedAt) / 1000;
    if (this.media.seeking) {
      this.watching.leaveOff(this.media.played, elapsed);
      this.watching.begin(this.media.currentTime);
    } else {
      this.watching.at(this.media.currentTime, elapsed);
    }
    this.lookedAt = now;
  }

  plan() {
    this.reporting = this.timers.setTimeout(async () => {
      const accepted = await this.now();
      // Longer and longer while all goes well, and soon again when it does not.
      this.interval = accepted ? Math.min(this.interval * 2, this.longest) : FIRST_INTERVAL_SECONDS;
      this.plan();
    }, this.interval * 1000);
  }

  planRenewal(seconds) {
    const wait = Math.max(5, seconds - RENEW_BEFORE_SECONDS);
    this.renewing = this.timers.setTimeout(async () => {
      try {
        const renewed = await this.session.renew();
        if (renewed.state !== "LIVE") {
          this.onEnded?.();
          return;
        }
        this.planRenewal(renewed.expires_in_seconds);
      } catch (error) {
        if (!(error instanceof NotReachedError)) throw error;
        this.planRenewal(RENEW_BEFORE_SECONDS + FIRST_INTERVAL_SECONDS);
      }
    }, wait * 1000);
  }

  planPrompt(seconds) {
    this.timers.clearTimeout(this.prompting);
    if (seconds === null || seconds === undefined) return;
    this.prompting = this.timers.setTimeout(() => this.onPrompt?.(), seconds * 1000);
  }

  /** The teacher said that they are there. */
  async confirmPresence() {
    this.planPrompt((await this.session.confirmPresence()).prompt_in_seconds);
  }

  listen(target, name, handler) {
    target.addEventListener(name, handler);
    this.listeners.push([target, name, handler]);
  }
}
