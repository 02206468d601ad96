/** A sign-in that ends while the page is open. */
import type { Browser, Page } from "@playwright/test";
import { expect, newPhone, register, signIn, test } from "./installation";

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
