/**
 * Administrators at their desks: every screen without barriers at both widths, another county typed by hand. One test for each
 * administrator: a phone is sent one code a minute.
 */
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

test("a county: its tree, every screen, an import's rows, a school that changes; another county answers nothing", async ({ page }) => {
  test.setTimeout(300_000);
  await openDesk(page, /county administrator/);
  await page.getByRole("link", { name: "区域工作台" }).click();
  await expect(page.getByRole("heading", { name: "荔湾区" })).toBeVisible();
  await expectSound(page);
  for (const name of ["统计", "学校", "学校变更", "教师", "管理员激活", "调动审批", "投诉", "学分申报", "账号解锁", "导入导出"]) {
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

  // Figures of study are a programme's: without a choice the newest.
  await page.goto("/portal/region-desk/statistics?place=CN/440000/440100/440103");
  await page.getByRole("combobox", { name: "研修专题" }).selectOption({ label: "2023年“寒假教师研修”专题" });
  await expect(page).toHaveURL(/programme=/);
  await expect(page.locator("dl div").filter({ hasText: "报名" })).toContainText("12");
  await expect(page.locator("dl div").filter({ hasText: "获证" })).toContainText("4");
  await expect(page.locator("dl div").filter({ hasText: "注册" }).first()).toContainText(/\d{3}/);
  await picture(page, "region-statistics", DESK);

  // A school is suspended and goes on; a person is found whose address names nobody.
  await page.goto("/portal/region-desk/schools?place=CN/440000/440100/440103&state=ACTIVE&q=幼儿园");
  const school = page.locator("main li").filter({ has: page.getByRole("button", { name: /^变更/ }) }).first();
  for (const [act, state] of [["停用", "SUSPENDED"], ["恢复", "ACTIVE"]] as const) {
    await school.getByRole("button", { name: /^变更/ }).click();
    await school.getByRole("combobox", { name: /变更/ }).selectOption(act);
    await school.getByLabel("原因").fill("校舍维修");
    await expectNoBarriers(page);
    await school.getByRole("button", { name: "确认" }).click();
    // It is done when its form has gone.
    await expect(page.getByLabel("原因")).toHaveCount(0);
    await page.getByLabel("状态").selectOption(state);
    await expect(school).toContainText(state === "ACTIVE" ? "正常" : "停用");
  }
  await page.goto("/portal/school-desk/locked?place=CN/440000/440100/440103");
  await page.getByLabel("手机号").fill(sampleSignIn(/teacher W11/).phone);
  await page.getByRole("button", { name: "查找" }).click();
  await expect(page.getByText("未锁定")).toBeVisible();
  expect(page.url()).not.toContain("phone");
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
  for (const name of ["审核教师身份", "教师名册", "集体选课", "账单与缴款", "特殊用户与欠费", "账号解锁", "学分申报审核", "单位管理员"]) {
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
  await page.goto("/portal/");
  // The year is the server's, which stands in 2023, whatever this machine's clock says.
  await expect(page.getByText("2023 年已获").last()).toBeVisible();
  await expect(page.getByText("没有待缴费的课程")).toBeVisible();
  await expectSound(page);
  for (const name of ["选课", "我的课单", "我的选课"]) {
    await page.getByRole("link", { name, exact: true }).click();
    await expect(page.getByRole("heading", { name, level: 1 })).toBeVisible();
    await expectSound(page);
    await page.goBack();
  }
  await page.goto("/portal/declarations");
  await page.getByRole("button", { name: "新申报" }).click();
  await expectSound(page);
});
