/** A teacher on a phone studies real seconds of a real clip: a quiz, a lost network, a reload. */
import type { Page } from "@playwright/test";
import { busyWhenPlaying, enrol, expect, expectFits, expectNoBarriers, newTeacher, openClips, PHONE, picture, play, playUntil, position, test } from "./installation";

async function answer(page: Page, option: string): Promise<void> {
  const dialog = page.getByRole("dialog", { name: "测试题" });
  await dialog.getByText(option, { exact: true }).click();
  await dialog.getByRole("button", { name: "提交答案" }).click();
}

async function clear(page: Page, option: string): Promise<void> {
  await page.getByRole("dialog", { name: "测试题" }).getByText(option, { exact: true }).click();
}

test("a season without losing a second, over a quiz, a lost network and a reload", async ({ page, context }) => {
  test.setTimeout(240_000);
  await newTeacher(page);
  await page.goto("/portal/");
  await expect(page.getByText(/等待.*审核您的教师身份/)).toBeVisible();
  await expectNoBarriers(page);
  await expectFits(page);

  await picture(page, "teacher-home", PHONE);

  await enrol(page);
  await expectNoBarriers(page);

  await page.getByRole("link", { name: "数到四十" }).click();
  await expectNoBarriers(page);
  await play(page);
  await playUntil(page, 3);
  // The quiz at its point: a wrong answer does not open the way.
  await expect(page.getByRole("dialog", { name: "测试题" })).toBeVisible({ timeout: 30_000 });
  // It stands at the question: what is played before the answer would have to be watched again.
  await expect.poll(() => position(page)).toBe(12);
  await expectNoBarriers(page);
  await picture(page, "player-quiz", PHONE);
  await answer(page, "7");
  await expect(page.getByText("回答不正确")).toBeVisible();
  await clear(page, "7");
  await answer(page, "12");
  await expect(page.getByRole("dialog", { name: "测试题" })).toBeHidden();

  await playUntil(page, 16);
  await context.setOffline(true);
  await expect(page.getByText("网络已断开")).toBeVisible();
  await playUntil(page, 22);
  await context.setOffline(false);
  await expect(page.getByText("网络已断开")).toBeHidden();

  await playUntil(page, 26);
  await page.reload();
  await expect(page.locator("video")).toBeVisible();
  // Where it stopped, whether or not the server has counted the last report by now.
  await playUntil(page, 26);
  expect(await position(page)).toBeLessThan(30);
  await play(page);
  await page.waitForFunction(() => document.querySelector("video")!.ended, undefined, { timeout: 60_000 });
  await expect(page.getByText("已记录 0:40 / 0:40")).toBeVisible({ timeout: 30_000 });
  await expect(page.getByText("其中可计入 0:40")).toBeVisible();

  // One clip alone: nothing is recognised yet, and the page says why.
  await page.getByRole("link", { name: "返回专题" }).click();
  await expect(page.getByText("0.00 学时").first()).toBeVisible();
  await expect(page.locator(".why li").first()).toBeVisible();
  await expectNoBarriers(page);
  await picture(page, "programme", PHONE);

  // The page is too busy to notice that playing began: the beginning counts all the same.
  await page.getByRole("link", { name: "数到三十" }).click();
  await busyWhenPlaying(page, 2_500);
  await play(page);
  await expect(page.getByRole("dialog", { name: "测试题" })).toBeVisible({ timeout: 40_000 });
  await answer(page, "20");
  await page.waitForFunction(() => document.querySelector("video")!.ended, undefined, { timeout: 60_000 });
  await expect(page.getByText("已记录 0:30 / 0:30")).toBeVisible({ timeout: 30_000 });
  await expect(async () => {
    await openClips(page);
    await expect(page.getByText("0.02 学时").first()).toBeVisible({ timeout: 3_000 });
  }).toPass({ timeout: 60_000 });
});
