import assert from "node:assert/strict";
import test from "node:test";

import {
  NotReachedError,
  PlayerReporter,
  RefusedError,
  StudyClient,
  StudyEndedError,
  StudyJournal,
  Watching,
} from "./study.js";

class MemoryStorage {
  #kept = new Map();
  get length() {
    return this.#kept.size;
  }
  key(index) {
    return [...this.#kept.keys()][index];
  }
  getItem(key) {
    return this.#kept.get(key) ?? null;
  }
  setItem(key, value) {
    this.#kept.set(key, String(value));
  }
  removeItem(key) {
    this.#kept.delete(key);
  }
}

/** A gateway in small: tokens expire, receipts keep a report's time, seqs are taken once, requests and answers get lost. */
class Gateway {
  constructor(dice = () => 1, loss = 0) {
    Object.assign(this, { dice, loss, now: 0, sessions: new Map(), recorded: new Map(), requests: [] });
    this.fetch = async (url, init) => {
      if (this.down || this.dice() < this.loss) throw new TypeError("request lost");
      const path = url.replace("http://gateway/api/v1", "");
      this.requests.push([path, init]);
      const [status, body] = this.handle(path, JSON.parse(init.body), init);
      if (this.dice() < this.loss) throw new TypeError("answer lost");
      return { status, ok: status < 400, json: async () => body };
    };
  }

  handle(path, body, init) {
    if (init.headers.Authorization !== "Bearer fresh") return [401, { code: "shared.token_expired" }];
    if (path === "/study-sessions") return this.open(body);
    const [, , id, what] = path.split("/");
    const session = this.sessions.get(id);
    if (what === "token") return this.renew(session);
    if (what === "segments") return this.report(session, body);
    if (what === "presence") return [200, { study_session_id: id, prompt_in_seconds: 700 }];
    return [200, { right: body.answers[0] === "A", at: this.now, before: [...this.recorded.keys()] }];
  }

  open({ client_id, take_over }) {
    const live = [...this.sessions.values()].find((session) => session.live);
    if (live && live.client_id !== client_id && !take_over) return [409, { code: "learning.session_elsewhere" }];
    if (live) live.live = false;
    const id = `session-${this.sessions.size}`;
    this.sessions.set(id, { id, client_id, live: true, expires: this.now + 600, seqs: new Set() });
    return [
      201,
      {
        study_session_id: id,
        play_token: `token-${this.now}`,
        expires_in_seconds: 600,
        duration_seconds: 900,
        silence_limit_seconds: 600,
        prompt_in_seconds: 600,
      },
    ];
  }

  renew(session) {
    let durable_seq = 0;
    while (session.seqs.has(durable_seq + 1)) durable_seq += 1;
    if (!session.live) return [200, { state: "TAKEN_OVER", play_token: null, expires_in_seconds: 0, durable_seq }];
    session.expires = this.now + 600;
    return [200, { state: "LIVE", play_token: `token-${this.now}`, expires_in_seconds: 600, durable_seq }];
  }

  report(session, { seq, segments, receipt }) {
    if (!receipt && this.now >= session.expires) return [403, { code: "learning.play_token_expired" }];
    const kept = JSON.stringify([seq, segments]);
    const key = `${session.id}/${seq}`;
    if (this.recorded.has(key)) assert.equal(this.recorded.get(key), kept, "a seq was used for two reports");
    if (!this.wiping) {
      session.seqs.add(seq);
      this.recorded.set(key, kept);
    }
    return [202, { seq, receipt: receipt ?? `receipt-${session.id}-${seq}-${this.now}` }];
  }

  seconds() {
    return [...this.recorded.values()].flatMap((kept) => JSON.parse(kept)[1]).reduce((sum, { from, to }) => sum + to - from, 0);
  }
}

function client(gateway, storage = new MemoryStorage()) {
  return new StudyClient({ address: "http://gateway", accessToken: async () => "fresh", storage, fetch: gateway.fetch });
}

function dice(seed) {
  let state = seed;
  return () => {
    state = (state * 1103515245 + 12345) % 2147483648;
    return state / 2147483648;
  };
}

test("whole seconds that were played, in order, each told once", () => {
  const watching = new Watching(900);
  for (let at = 0; at <= 10.25; at += 0.25) watching.at(at);
  watching.cut();
  for (let at = 5; at <= 12; at += 0.5) watching.at(at); // back, over what is told already
  assert.deepEqual(watching.take(), [
    [0, 10],
    [10, 12],
  ]);
  for (let at = 12.5; at <= 20; at += 0.5) watching.at(at);
  assert.deepEqual(watching.take(), [[12, 20]]);
  assert.deepEqual(watching.take(), []);
});

test("a seek is no playing, half seconds wait, and nothing lies beyond the end", () => {
  const watching = new Watching(900);
  watching.at(1.5);
  watching.at(2.4);
  watching.at(600);
  watching.at(602);
  watching.at(602.5);
  assert.deepEqual(watching.take(), [[600, 602]]);
  watching.at(604.6);
  watching.at(899);
  watching.at(900.2);
  assert.deepEqual(watching.take(), [
    [602, 604],
    [899, 900],
  ]);
});

test("a report is in the journal before it is sent, and leaves it only when it is durable", async () => {
  const gateway = new Gateway();
  const storage = new MemoryStorage();
  const session = await client(gateway, storage).open("video");
  gateway.down = true;
  assert.equal(await session.report([[0, 60]]), false);
  assert.equal(StudyJournal.all(storage)[0].unconfirmed().length, 1);
  gateway.down = false;
  assert.equal(await session.flush(), true);
  assert.equal(session.isDurable(), false);
  await session.renew();
  assert.equal(session.isDurable(), true);
  assert.equal(gateway.seconds(), 60);
});

test("after a reload what was not sent is brought home", async () => {
  const gateway = new Gateway();
  const storage = new MemoryStorage();
  const session = await client(gateway, storage).open("video");
  await session.report([[0, 60]]);
  gateway.down = true;
  await session.report([[60, 120]]);
  const after = client(gateway, storage); // the page was loaded again, without a network
  assert.equal(await after.recover(), 0);
  gateway.down = false;
  assert.equal(await after.recover(), 1);
  assert.equal(gateway.seconds(), 120);
  assert.equal(StudyJournal.all(storage).length, 0);
  assert.equal(after.clientId, session.client.clientId);
});

test("what a wiped broker lost is sent again with its receipt, also when the token is old", async () => {
  const gateway = new Gateway();
  const session = await client(gateway).open("video");
  gateway.wiping = true;
  assert.equal(await session.report([[0, 60]]), true);
  gateway.wiping = false;
  gateway.now = 5000;
  await session.resend();
  await session.renew();
  assert.equal(session.isDurable(), true);
  const bodies = gateway.requests.filter(([path]) => path.endsWith("segments")).map(([, init]) => JSON.parse(init.body));
  assert.match(bodies.at(-1).receipt, /-0$/);
});

test("an expired token is renewed and the report sent again under its seq", async () => {
  const gateway = new Gateway();
  const session = await client(gateway).open("video");
  gateway.now = 601;
  assert.equal(await session.report([[0, 60]]), true);
  assert.equal(gateway.seconds(), 60);
});

test("another device is asked first, and the session that was taken over says so", async () => {
  const gateway = new Gateway();
  const first = await client(gateway).open("video");
  const other = client(gateway);
  await assert.rejects(other.open("video"), (error) => error instanceof RefusedError && error.code === "learning.session_elsewhere");
  await other.open("video", { takeOver: true });
  gateway.now = 601;
  await assert.rejects(first.report([[0, 60]]), StudyEndedError);
});

test("over a link that loses a tenth of all requests and answers nothing is lost and nothing told twice", async () => {
  for (let seed = 1; seed <= 50; seed += 1) {
    const gateway = new Gateway(dice(seed), 0.1);
    const session = await retried(() => client(gateway).open("video", { takeOver: true }));
    for (let at = 0; at < 900; at += 60) {
      gateway.now += 60;
      await session.report([[at, at + 60]]);
      if (at % 300 === 0) await session.renew().catch(() => {});
    }
    while (!session.isDurable()) {
      await session.flush();
      await session.renew().catch(() => {});
    }
    assert.equal(gateway.seconds(), 900);
  }
});

async function retried(act) {
  for (;;) {
    try {
      return await act();
    } catch (error) {
      if (!(error instanceof NotReachedError)) throw error;
    }
  }
}

class FakeTimers {
  constructor() {
    this.waiting = [];
    this.now = 0;
  }
  setTimeout = (act, milliseconds) => {
    const timer = { act, at: this.now + milliseconds };
    this.waiting.push(timer);
    return timer;
  };
  clearTimeout = (timer) => {
    this.waiting = this.waiting.filter((kept) => kept !== timer);
  };
  async pass(milliseconds) {
    const until = this.now + milliseconds;
    for (;;) {
      const next = this.waiting.filter(({ at }) => at <= until).sort((one, two) => one.at - two.at)[0];
      if (!next) break;
      this.clearTimeout(next);
      this.now = next.at;
      await next.act();
    }
    this.now = until;
  }
}

function player(session, callbacks = {}) {
  const media = Object.assign(new EventTarget(), { paused: false, currentTime: 0 });
  const page = Object.assign(new EventTarget(), { visibilityState: "visible" });
  const timers = new FakeTimers();
  const reporter = new PlayerReporter(session, media, page, { timers, ...callbacks });
  reporter.start();
  const play = async (seconds) => {
    for (let step = 0; step < seconds; step += 1) {
      media.currentTime += 1;
      media.dispatchEvent(new Event("timeupdate"));
      await timers.pass(1000);
    }
  };
  return { media, page, timers, reporter, play };
}

test("the player reports in growing intervals, on pause, when hidden and when the page goes", async () => {
  const gateway = new Gateway();
  const session = await client(gateway).open("video");
  const reports = () => gateway.requests.filter(([path]) => path.endsWith("segments"));
  const { media, page, reporter, play } = player(session);
  media.dispatchEvent(new Event("timeupdate"));
  await play(31);
  assert.equal(reports().length, 1);
  await play(61);
  assert.equal(reports().length, 2);
  await play(61);
  assert.equal(reports().length, 2); // two minutes now
  media.dispatchEvent(new Event("pause"));
  await session.sending;
  assert.equal(reports().length, 3);
  await play(10);
  page.visibilityState = "hidden";
  page.dispatchEvent(new Event("visibilitychange"));
  await session.sending;
  assert.equal(reports().length, 4);
  await play(5);
  media.currentTime += 1; // a second ends between two looks
  page.dispatchEvent(new Event("pagehide"));
  await session.sending;
  assert.equal(reports().at(-1)[1].keepalive, true);
  assert.equal(JSON.parse(reports().at(-1)[1].body).segments.at(-1).to, media.currentTime);
  await reporter.stop();
  assert.ok(gateway.seconds() >= 31 + 61 + 61 + 10 + 5 - 3);
});

test("a page that was too busy to look loses nothing; a seek is still no playing", async () => {
  const gateway = new Gateway();
  let now = 0;
  const { media, reporter } = player(await client(gateway).open("video"), { clock: () => now });
  const look = (position, at) => {
    media.currentTime = position;
    now = at * 1000;
    media.dispatchEvent(new Event("timeupdate"));
  };
  look(0, 0);
  look(7, 7);
  look(60, 8); // faster than it can be played
  look(62, 10);
  await reporter.stop();
  assert.equal(gateway.seconds(), 7 + 2);
});

/** A player as a page meets it: `look` is an event that the page hears, at `position` of the video and `at` of the clock. */
function busyPlayer(session) {
  let now = 0;
  const kit = player(session, { clock: () => now });
  const look = (name, position, at, state = {}) => {
    Object.assign(kit.media, { currentTime: position, paused: false, seeking: false }, state);
    now = at * 1000;
    kit.media.dispatchEvent(new Event(name));
  };
  return { ...kit, look };
}

test("a page that hears late that playing began loses nothing of its beginning", async () => {
  const gateway = new Gateway();
  const { look, reporter } = busyPlayer(await client(gateway).open("video"));
  look("play", 1.4, 1.5);
  look("timeupdate", 2.9, 3);
  look("pause", 3.1, 3.2, { paused: true });
  await reporter.session.sending;
  assert.equal(gateway.seconds(), 3);
  await reporter.stop();
  assert.equal(gateway.seconds(), 3);
});

test("a page that is busy just after playing began loses nothing, though it was told of it late", async () => {
  const gateway = new Gateway();
  const { look, reporter } = busyPlayer(await client(gateway).open("video"));
  look("play", 0, 0.4); // the position is that of the last frame shown
  look("timeupdate", 3.2, 3.3);
  await reporter.stop();
  assert.equal(gateway.seconds(), 3);
});

test("a seek ends one stretch where playing left off and begins the next where it goes on", async () => {
  const gateway = new Gateway();
  const { look, media, reporter } = busyPlayer(await client(gateway).open("video"));
  look("timeupdate", 2.9, 2.9);
  media.played = { length: 1, start: () => 0, end: () => 3.1 };
  look("seeking", 60, 3.2, { seeking: true });
  look("timeupdate", 61.5, 5); // heard late: it went on from 60
  look("timeupdate", 62.2, 5.7);
  await reporter.stop();
  assert.deepEqual(JSON.parse([...gateway.recorded.values()][0])[1], [
    { from: 0, to: 3 },
    { from: 60, to: 62 },
  ]);
});

test("a player that stops a frame before its last position has not gone back", async () => {
  const gateway = new Gateway();
  const { look, reporter } = busyPlayer(await client(gateway).open("video"));
  look("timeupdate", 2.3, 2.3);
  look("pause", 2.26, 2.3, { paused: true });
  look("play", 2.26, 9);
  look("timeupdate", 4, 10.8);
  await reporter.stop();
  assert.equal(gateway.seconds(), 4);
});

test("the teacher is asked whether they are there, and the next prompt is planned", async () => {
  const gateway = new Gateway();
  const session = await client(gateway).open("video");
  let prompts = 0;
  const { reporter, timers } = player(session, { onPrompt: () => (prompts += 1) });
  await timers.pass(599_000);
  assert.equal(prompts, 0);
  await timers.pass(2_000);
  assert.equal(prompts, 1);
  await reporter.confirmPresence();
  await timers.pass(701_000);
  assert.equal(prompts, 2);
});

test("what was watched before a quiz is reported before its answer", async () => {
  const gateway = new Gateway();
  const session = await client(gateway).open("video");
  gateway.down = true;
  await session.report([[0, 60]]);
  gateway.down = false;
  const judged = await session.answer("quiz", ["A"]);
  assert.equal(judged.right, true);
  assert.deepEqual(judged.before, ["session-0/1"]);
});

test("neither a pause nor the end loses a second", async () => {
  const gateway = new Gateway();
  const session = await client(gateway).open("video");
  const { media, reporter } = player(session);
  const end = session.opened.duration_seconds;
  const look = (name, position, paused = false) => {
    Object.assign(media, { currentTime: position, paused });
    media.dispatchEvent(new Event(name));
  };
  look("play", 0);
  for (let position = 0.25; position < 12.3; position += 0.25) look("timeupdate", position);
  look("pause", 12.25, true);
  look("play", 12.25);
  for (let position = 12.5; position < end; position += 0.25) look("timeupdate", position);
  look("ended", end, true);
  await reporter.stop();
  assert.equal(gateway.seconds(), end);
});
