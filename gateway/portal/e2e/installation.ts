/** What the browser tests know of the installation they run against, beyond what a person at the screen sees. */
import { randomInt } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import AxeBuilder from "@axe-core/playwright";
import { expect, test as plain, type Page } from "@playwright/test";

/** Every page of a test is watched: no other host, nothing refused by the Content-Security-Policy, no error in the page. */
export const test = plain.extend<{ faults: string[] }>({
  faults: [
    async ({ context, baseURL }, use) => {
      const faults: string[] = [];
      context.on("request", (request) => {
        const url = new URL(request.url());
        if (/^https?:$/.test(url.protocol) && url.origin !== new URL(baseURL!).origin) faults.push(`other host: ${request.url()}`);
      });
      context.on("weberror", (error) => faults.push(String(error.error())));
      context.on("console", (message) => {
        if (/Content.Security.Policy/i.test(message.text())) faults.push(message.text());
      });
      await use(faults);
      expect(faults).toEqual([]);
    },
    { auto: true },
  ],
});

export { expect };

/** No barrier that axe calls serious or worse. */
export async function expectNoBarriers(page: Page): Promise<void> {
  // What fades in has little contrast on its way: a label is judged when it stands.
  await page.evaluate(() =>
    Promise.allSettled(
      document
        .getAnimations()
        .filter((one) => Number.isFinite(one.effect?.getComputedTiming().endTime ?? Infinity))
        .map((one) => one.finished),
    ),
  );
  const found = await new AxeBuilder({ page }).analyze();
  const grave = found.violations.filter((one) => one.impact === "serious" || one.impact === "critical");
  expect(grave.map((one) => `${one.id}: ${one.nodes.map((node) => node.html).join(" | ")}`)).toEqual([]);
}

/** Nothing sticks out sideways. */
export async function expectFits(page: Page): Promise<void> {
  const [content, window] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  expect(content).toBeLessThanOrEqual(window!);
}

/** A phone that nobody has yet. */
export function newPhone(): string {
  return `138${String(randomInt(100_000_000)).padStart(8, "0")}`;
}

/** A picture of this screen for the documentation; `make pictures` says where they go. */
export async function picture(page: Page, name: string, size: { width: number; height: number }): Promise<void> {
  const before = page.viewportSize()!;
  await page.setViewportSize(size);
  await page.evaluate(() => scrollTo(0, 0));
  await page.screenshot({ path: join(process.env.YANXIU_PICTURES ?? "test-results/pictures", `${name}.png`), animations: "disabled", caret: "hide" });
  await page.setViewportSize(before);
}

export const PHONE = { width: 390, height: 780 };
export const DESK = { width: 1280, height: 780 };

export async function register(page: Page, phone: string, password: string): Promise<void> {
  await page.goto("/portal/register");
  await page.getByLabel("手机号").fill(phone);
  await page.getByRole("button", { name: "获取验证码" }).click();
  await page.locator(".mailbox button").click();
  await page.getByLabel(/设置密码/).fill(password);
  await page.getByRole("button", { name: "注册" }).click();
  await expect(page).toHaveURL(/\/portal\/me/);
}

export interface Told {
  sign_ins: { who: string; phone: string; password: string }[];
  addresses: Record<string, string>;
}

/** What `yanxiu demo --json` told: sample sign-ins and addresses. */
export function told(): Told {
  return JSON.parse(readFileSync(process.env.YANXIU_TOLD!, "utf8")) as Told;
}

export function sampleSignIn(who: RegExp): { phone: string; password: string } {
  return told().sign_ins.find((one) => who.test(one.who))!;
}

export async function signIn(page: Page, phone: string, password: string): Promise<void> {
  await page.goto("/portal/sign-in");
  await page.getByLabel(/手机号、学号/).fill(phone);
  await page.getByLabel("密码", { exact: true }).fill(password);
  await page.getByRole("button", { name: "登录" }).click();
  await expect(page).not.toHaveURL(/sign-in/);
}

/** An invented resident ID: the region 440100 stands on no identity card. */
export function newIdNo(): string {
  const first = `440100${randomInt(1970, 1996)}0${randomInt(1, 10)}1${randomInt(10)}${String(randomInt(1000)).padStart(3, "0")}`;
  const weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
  const total = weights.reduce((sum, weight, index) => sum + weight * Number(first[index]), 0);
  return first + "10X98765432"[total % 11];
}

/** A teacher under 其他 of 荔湾区, ready to enrol. */
export async function newTeacher(page: Page): Promise<{ phone: string; password: string }> {
  const teacher = { phone: newPhone(), password: "Teacher-2023-x" };
  await register(page, teacher.phone, teacher.password);
  await page.getByRole("link", { name: "个人信息" }).click();
  await page.getByLabel("姓名").fill("欧阳测试");
  await page.getByLabel("证件号码").fill(newIdNo());
  await page.getByRole("combobox", { name: "任教学段" }).selectOption("PRIMARY");
  await page.getByLabel("任教学科").fill("语文");
  await page.getByRole("button", { name: "保存" }).click();
  await expect(page.getByText("信息完整")).toBeVisible();
  await expectNoBarriers(page);
  await page.goto("/portal/me/school");
  await page.getByRole("combobox", { name: /^省/ }).selectOption({ label: "广东省" });
  await page.getByRole("combobox", { name: "市", exact: true }).selectOption({ label: "广州市" });
  await page.getByRole("combobox", { name: /^区/ }).selectOption({ label: "荔湾区" });
  await page.getByRole("button", { name: /荔湾区：其他/ }).click();
  await expect(page.getByText("等待学校审核")).toBeVisible();
  await expectNoBarriers(page);
  return teacher;
}

export async function openClips(page: Page): Promise<void> {
  await page.goto(new URL(told().addresses["short clips to study"]!).pathname);
}

export async function enrol(page: Page): Promise<void> {
  await openClips(page);
  await page.getByRole("button", { name: "报名" }).click();
  await expect(page.getByText("已学时长").first()).toBeVisible();
}

export function position(page: Page): Promise<number> {
  return page.locator("video").evaluate((video: HTMLVideoElement) => video.currentTime);
}

export async function playUntil(page: Page, second: number): Promise<void> {
  await expect.poll(() => position(page), { timeout: 60_000, intervals: [200] }).toBeGreaterThanOrEqual(second);
}

/** Nothing in the page runs for a while each time that playing begins. */
export async function busyWhenPlaying(page: Page, milliseconds: number): Promise<void> {
  await page.locator("video").evaluate((video, wait) => {
    const freeze = () => {
      const until = performance.now() + wait;
      while (performance.now() < until);
    };
    video.addEventListener("playing", freeze, { capture: true });
  }, milliseconds);
}

export async function pause(page: Page): Promise<void> {
  await page.locator("video").evaluate((video: HTMLVideoElement) => video.pause());
}

export async function resume(page: Page): Promise<void> {
  await page.locator("video").evaluate((video: HTMLVideoElement) => video.play());
}

export async function play(page: Page): Promise<void> {
  await page.locator(".vjs-big-play-button").click();
}
