/** Two browsers of one teacher: both study, and one ends the sign-in of the other. */
import type { Browser, Page } from "@playwright/test";
import { enrol, expect, expectNoBarriers, newPhone, newTeacher, openClips, pause, play, playUntil, position, register, resume, signIn, test } from "./installation";

async function otherDevice(browser: Browser, page: Page, teacher: { phone: string; password: string }): Promise<Page> {
  const other = await (await browser.newContext({ baseURL: new URL(page.url()).origin, locale: "zh-CN" })).newPage();
  await signIn(other, teacher.phone, teacher.password);
  return other;
}

test("a sign-in that is ended elsewhere while the page is open", async ({ page, browser }) => {
  const teacher = { phone: newPhone(), password: "Teacher-2023-x" };
  await register(page, teacher.phone, teacher.password);
  await page.goto("/portal/");
  const mine = await page.evaluate(() => (JSON.parse(localStorage.getItem("yanxiu.sign-in")!) as { accessToken: string }).accessToken);
  const other = await otherDevice(browser, page, teacher);
  const ended = await other.evaluate(async () => {
    const kept = JSON.parse(localStorage.getItem("yanxiu.sign-in")!) as { accessToken: string };
    const headers = { Authorization: `Bearer ${kept.accessToken}`, "Idempotency-Key": crypto.randomUUID() };
    return (await fetch("/api/v1/sessions/others", { method: "DELETE", headers })).status;
  });
  expect(ended).toBe(200);
  const answer = async () => (await page.request.get("/api/v1/profiles/me", { headers: { Authorization: `Bearer ${mine}` } })).status();
  await expect.poll(answer).toBe(401);
  await page.getByRole("link", { name: "我的", exact: true }).click();
  await expect(page.getByText("登录已结束")).toBeVisible();
  await page.getByRole("alert").getByRole("link", { name: "登录" }).click();
  await expect(page).toHaveURL(/sign-in\?back=/);
  await other.context().close();
});

/** Seconds of the second clip that the server holds. */
function studied(page: Page): Promise<number> {
  return page.evaluate(async () => {
    const { accessToken } = JSON.parse(localStorage.getItem("yanxiu.sign-in")!) as { accessToken: string };
    const [, programmeId] = /programmes\/([^/]+)/.exec(location.pathname)!;
    const answer = await fetch(`/api/v1/programmes/${programmeId}/progress`, { headers: { Authorization: `Bearer ${accessToken}` } });
    const told = (await answer.json()) as { courses: { videos: { studied_seconds: number }[] }[] };
    return told.courses[0]!.videos[1]!.studied_seconds;
  });
}

test("two browsers that study at once: one of them counts, and each says so", async ({ page, browser }) => {
  test.setTimeout(240_000);
  const teacher = await newTeacher(page);
  await enrol(page);
  const other = await otherDevice(browser, page, teacher);
  await openClips(other);
  for (const one of [page, other]) await one.getByRole("link", { name: "数到三十" }).click();
  await expect(other.locator(".vjs-big-play-button")).toBeVisible();

  const begun = Date.now();
  await play(page);
  await playUntil(page, 2);
  await play(other);
  await expect(other.getByText("您正在另一台设备上学习")).toBeVisible();
  await other.getByRole("button", { name: "在这里计时" }).click();
  await playUntil(other, 2);

  // The first has played on, in vain since then; it learns of it when it reports.
  await pause(page);
  await expect(page.getByText("另一台设备已接管学习计时")).toBeVisible();
  await expectNoBarriers(page);
  await pause(other);
  await expect.poll(() => studied(other)).toBeGreaterThanOrEqual(2);
  const both = await studied(other);
  // Never more than the time that passed, whatever the two of them have played.
  expect(both).toBeLessThanOrEqual((Date.now() - begun) / 1000);

  // And back: what the first plays now counts again, and the second is told in its turn.
  const from = await position(page);
  await page.getByRole("button", { name: "在这里计时" }).click();
  await playUntil(page, from + 2);
  await pause(page);
  await expect.poll(() => studied(page)).toBeGreaterThan(both);
  await resume(other);
  await playUntil(other, (await position(other)) + 1);
  await pause(other);
  await expect(other.getByText("另一台设备已接管学习计时")).toBeVisible();
  await other.context().close();
});

test("notes and questions of a course are written, shared, found", async ({ page }) => {
  await newTeacher(page);
  await enrol(page);
  await page.getByRole("link", { name: /笔记与答疑/ }).click();
  await page.getByLabel("写笔记").fill("要点：以学定教 <b>1</b>");
  await page.getByRole("button", { name: "保存" }).click();
  await expect(page.getByText("要点：以学定教 <b>1</b>")).toBeVisible();
  await expectNoBarriers(page);
  await page.getByRole("link", { name: "答疑", exact: true }).click();
  await page.getByLabel(/向辅导教师提问/).fill("第二段的例子在哪里？");
  await page.getByRole("button", { name: "保存" }).click();
  await page.getByRole("button", { name: "查看回答" }).first().click();
  await page.getByLabel("回答", { exact: true }).fill("在第三十秒。");
  await page.getByRole("button", { name: "回答", exact: true }).click();
  await expect(page.getByText("在第三十秒。")).toBeVisible();
  await expectNoBarriers(page);
  await page.getByRole("link", { name: "资料" }).click();
  await expect(page.getByText("还没有资料")).toBeVisible();
  await page.getByRole("link", { name: "搜索" }).click();
  await page.getByLabel("搜索笔记与答疑").fill("以学定教");
  await page.getByRole("button", { name: "查找" }).click();
  await expect(page).toHaveURL(/words=/);
  await expect(page.getByText("要点：以学定教")).toBeVisible();
  await expectNoBarriers(page);
});
