/** Administrators at their desks: every screen without barriers at both widths, a review, another county typed by hand. */
import type { Page } from "@playwright/test";
import { DESK, expect, expectFits, expectNoBarriers, PHONE, picture, sampleSignIn, signIn, test } from "./installation";

async function openDesk(page: Page, who: RegExp): Promise<void> {
  const { phone, password } = sampleSignIn(who);
  await signIn(page, phone, password);
  await page.goto("/portal/desk");
  await page.getByLabel("手机号").fill(phone);
  await page.getByLabel("密码", { exact: true }).fill(password);
  await page.getByRole("button", { name: "获取验证码" }).click();
  await page.locator(".mailbox button").click();
  await page.getByRole("button", { name: "进入管理端" }).click();
  await expect(page.getByRole("button", { name: "离开管理端" })).toBeVisible();
}

async function expectSound(page: Page): Promise<void> {
  await expect(page.locator("[aria-busy=true]")).toHaveCount(0);
  await expect(page.locator("[role=alert]")).toHaveCount(0);
  for (const width of [360, 1920]) {
    await page.setViewportSize({ width, height: 900 });
    await expectFits(page);
  }
  await expectNoBarriers(page);
}

test("a county: its tree, every screen, an import's rows; another county answers nothing", async ({ page }) => {
  test.setTimeout(240_000);
  await openDesk(page, /county administrator/);
  await page.getByRole("link", { name: "区域工作台" }).click();
  await expect(page.getByRole("heading", { name: "荔湾区" })).toBeVisible();
  await expectSound(page);
  for (const name of ["统计", "学校", "教师", "管理员激活", "调动审批", "投诉", "学分申报", "导入导出"]) {
    await page.getByRole("navigation", { name: "区域工作台" }).getByRole("link", { name, exact: true }).click();
    await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
    await expectSound(page);
    if (name !== "导入导出") await page.goBack();
  }
  // The demo's import: ten refused rows, each with its reason.
  await page.getByRole("link", { name: "教师名册导入" }).last().click();
  await page.getByRole("combobox", { name: /^结果/ }).selectOption("REFUSED");
  await expect(page).toHaveURL(/outcome=REFUSED/);
  await expect(page.locator("tbody tr").first().locator("td").last()).not.toBeEmpty();
  await expectSound(page);

  await page.goto("/portal/region-desk?place=CN/440000/440100/440105");
  await expect(page.getByText("没有找到，或者您无权查看")).toBeVisible();
  await expect(page.locator("table")).toHaveCount(0);
});

test("a school: what waits, its teachers by a filter in the address", async ({ page }) => {
  await openDesk(page, /school administrator/);
  await page.getByRole("link", { name: "学校工作台" }).click();
  await expect(page.getByText("等待审核")).toBeVisible();
  await expectSound(page);
  for (const name of ["审核教师身份", "教师名册", "学分申报审核", "单位管理员"]) {
    await page.getByRole("navigation", { name: "学校工作台" }).getByRole("link", { name }).click();
    await expect(page.getByRole("heading", { name })).toBeVisible();
    await expectSound(page);
    await page.goBack();
  }
  await page.getByRole("link", { name: "教师名册" }).click();
  await page.getByLabel("状态").selectOption("VERIFIED");
  await expect(page).toHaveURL(/state=VERIFIED/);
  await expect(page.locator("tbody tr").first()).toContainText("学校已审核通过");
  await picture(page, "school-teachers", DESK);
});

test("a teacher with a certificate: hours, credits, the file, the page that a stranger sees", async ({ page }) => {
  const { phone, password } = sampleSignIn(/teacher W11/);
  await signIn(page, phone, password);
  await page.getByRole("link", { name: "证书", exact: true }).click();
  const download = page.waitForEvent("download");
  await page.getByRole("button", { name: /下载 PDF/ }).click();
  expect((await download).suggestedFilename()).toMatch(/\.pdf$/);
  await expectSound(page);
  await page.getByRole("link", { name: "学时学分" }).click();
  await expect(page.locator("main li").filter({ hasText: "2.00" })).toHaveCount(1);
  await expectSound(page);
  await picture(page, "credits", PHONE);
  await page.goto("/portal/declarations");
  await page.getByRole("button", { name: "新申报" }).click();
  await expectSound(page);
});
