/** The first screen, registering, signing in and out, the second language. */
import { expect, expectFits, expectNoBarriers, newPhone, register, test } from "./installation";

const FIRST_SCREEN_BYTES = 250_000;

test("the first screen is light, fits a phone and a wall, and has no barrier", async ({ page }) => {
  let bytes = 0;
  const session = await page.context().newCDPSession(page);
  await session.send("Network.enable");
  session.on("Network.loadingFinished", (event) => (bytes += event.encodedDataLength));
  await page.goto("/");
  await expect(page).toHaveURL(/\/portal\/$/);
  await expect(page.getByRole("heading", { name: "研修专题" })).toBeVisible();
  await page.waitForLoadState("networkidle");
  expect(bytes).toBeGreaterThan(10_000);
  expect(bytes).toBeLessThan(FIRST_SCREEN_BYTES);
  for (const width of [360, 1920]) {
    await page.setViewportSize({ width, height: 800 });
    await expectFits(page);
    await expectNoBarriers(page);
  }
});

test("a teacher registers with the code from the mailbox, signs out, and in again by both ways", async ({ page }) => {
  const phone = newPhone();
  await register(page, phone, "Teacher-2023-x");
  await page.reload();
  await expect(page.getByText(`${phone.slice(0, 3)}****`)).toBeVisible();
  await expectNoBarriers(page);
  await page.getByRole("button", { name: "退出登录" }).click();
  await expect(page.getByRole("link", { name: "登录" }).first()).toBeVisible();

  await page.goto("/portal/me");
  await expect(page).toHaveURL(/sign-in\?back=/);
  await expectNoBarriers(page);
  await page.getByLabel(/手机号、学号/).fill(phone);
  await page.getByLabel("密码", { exact: true }).fill("wrong-Password-1");
  await page.getByRole("button", { name: "登录" }).click();
  await expect(page.getByRole("alert")).toBeVisible();
  await page.getByLabel("密码", { exact: true }).fill("Teacher-2023-x");
  await page.getByRole("button", { name: "登录" }).click();
  await expect(page).toHaveURL(/\/portal\/me/);
});

test("the second language, and an address that leads nowhere", async ({ page }) => {
  await page.goto("/portal/somewhere/else");
  await expect(page.getByRole("heading", { name: "没有此页面" })).toBeVisible();
  await page.getByRole("button", { name: "English" }).click();
  await expect(page.getByRole("heading", { name: "There is no such page" })).toBeVisible();
  await page.reload();
  await expect(page.getByRole("heading", { name: "There is no such page" })).toBeVisible();
  await expect(page.locator("html")).toHaveAttribute("lang", "en");
});
