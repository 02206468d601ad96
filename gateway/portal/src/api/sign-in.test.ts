import { beforeEach, expect, test, vi } from "vitest";

class FakeStorage {
  private kept = new Map<string, string>();
  getItem = (key: string) => this.kept.get(key) ?? null;
  setItem = (key: string, value: string) => void this.kept.set(key, value);
  removeItem = (key: string) => void this.kept.delete(key);
}

/** One holder at a time, as the browser's own. */
class FakeLocks {
  private last: Promise<unknown> = Promise.resolve();
  request = <T>(_name: string, work: () => Promise<T>): Promise<T> => {
    const mine = this.last.then(work, work);
    this.last = mine.catch(() => undefined);
    return mine;
  };
}

const soon = { access_token: "old", expires_in_seconds: 10, refresh_token: "r1", desk: "TEACHER" };
const fresh = { access_token: "new", expires_in_seconds: 600, refresh_token: "r2", desk: "TEACHER" };
let asked: { token: string; key: string }[];

function server(...answers: (Response | Error)[]): void {
  asked = [];
  vi.stubGlobal("fetch", (_url: string, options: RequestInit) => {
    const headers = options.headers as Record<string, string>;
    asked.push({ token: (JSON.parse(options.body as string) as { refresh_token: string }).refresh_token, key: headers["Idempotency-Key"]! });
    const answer = answers.shift()!;
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
  });
}

beforeEach(() => {
  vi.resetModules();
  vi.stubGlobal("localStorage", new FakeStorage());
  vi.stubGlobal("navigator", { locks: new FakeLocks() });
});

test("a good token is not exchanged", async () => {
  const { accessToken, keep } = await import("@/api/sign-in");
  server();
  keep(fresh);
  expect(await accessToken()).toBe("new");
  expect(asked).toEqual([]);
});

test("many questions at once exchange the refresh token once: used twice it would count as stolen", async () => {
  const { accessToken, keep } = await import("@/api/sign-in");
  keep(soon);
  server(Response.json(fresh));
  expect(await Promise.all([accessToken(), accessToken(), accessToken()])).toEqual(["new", "new", "new"]);
  expect(asked.map((one) => one.token)).toEqual(["r1"]);
});

test("an exchange whose answer was lost is repeated with the same key", async () => {
  const { accessToken, keep } = await import("@/api/sign-in");
  keep(soon);
  server(new TypeError("network"), Response.json(fresh));
  await expect(accessToken()).rejects.toThrow(TypeError);
  expect(await accessToken()).toBe("new");
  expect(asked[0]).toEqual(asked[1]);
});

test("a refused exchange signs out, a server in trouble does not", async () => {
  const { accessToken, keep, signIn, SignedOutError } = await import("@/api/sign-in");
  keep(soon);
  server(Response.json({}, { status: 503 }), Response.json({}, { status: 401 }));
  expect(await accessToken()).toBe("old");
  expect(signIn.value).not.toBeNull();
  await expect(accessToken()).rejects.toThrow(SignedOutError);
  expect(signIn.value).toBeNull();
  expect(await accessToken()).toBe("");
});

test("what another tab fetched meanwhile is taken", async () => {
  const { accessToken, keep } = await import("@/api/sign-in");
  keep(soon);
  server();
  const waiting = navigator.locks.request("yanxiu.sign-in", async () => keep(fresh));
  expect(await accessToken()).toBe("new");
  await waiting;
  expect(asked).toEqual([]);
});
