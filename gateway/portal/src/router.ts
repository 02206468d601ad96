import { nextTick } from "vue";
import { createRouter, createWebHistory, type RouteRecordRaw } from "vue-router";
import { isSignedIn } from "@/api/client";
import { i18n } from "@/i18n";

/** `open`: visitors may come; everywhere else they are sent to sign in, and come back. */
declare module "vue-router" {
  interface RouteMeta {
    open?: boolean;
    title?: string;
  }
}

const routes: RouteRecordRaw[] = [
  { path: "/", name: "home", component: () => import("@/study/Home.vue"), meta: { open: true, title: "nav.home" } },
  { path: "/sign-in", name: "sign-in", component: () => import("@/account/SignIn.vue"), meta: { open: true, title: "account.signIn" } },
  { path: "/register", name: "register", component: () => import("@/account/Register.vue"), meta: { open: true, title: "account.register" } },
  { path: "/me/profile", name: "profile", component: () => import("@/account/Profile.vue"), meta: { title: "profile.title" } },
  { path: "/me/school", name: "school", component: () => import("@/account/School.vue"), meta: { title: "school.title" } },
  { path: "/study", name: "study", component: () => import("@/study/Study.vue"), meta: { title: "nav.study" } },
  { path: "/study/programmes/:programmeId/videos/:activityId", name: "watch", component: () => import("@/study/Watch.vue"), props: true, meta: { title: "study.video" } },
  { path: "/study/courses/:courseId", name: "course", component: () => import("@/study/tools/Course.vue"), props: true, meta: { title: "tools.title" } },
  { path: "/study/exam-attempts/:attemptId", name: "attempt", component: () => import("@/study/exams/Attempt.vue"), props: true, meta: { title: "exam.title" } },
  { path: "/selection", name: "selection", component: () => import("@/study/selection/Selection.vue"), meta: { title: "selection.title" } },
  { path: "/selection/basket", name: "basket", component: () => import("@/study/selection/Basket.vue"), meta: { title: "selection.basket" } },
  { path: "/selection/choices", name: "choices", component: () => import("@/study/selection/Choices.vue"), meta: { title: "selection.mine" } },
  { path: "/credits", name: "credits", component: () => import("@/study/Credits.vue"), meta: { title: "nav.credits" } },
  { path: "/certificates", name: "certificates", component: () => import("@/study/Certificates.vue"), meta: { title: "nav.certificates" } },
  { path: "/declarations", name: "declarations", component: () => import("@/study/Declarations.vue"), meta: { title: "nav.declarations" } },
  { path: "/declarations/:declarationId", name: "declaration", component: () => import("@/study/Declaration.vue"), props: true, meta: { title: "nav.declarations" } },
  { path: "/desk", name: "desk", component: () => import("@/account/Desk.vue"), meta: { title: "desk.title" } },
  { path: "/school-desk/teachers", name: "teachers", component: () => import("@/school-desk/Teachers.vue"), meta: { title: "schoolDesk.teachers" } },
  { path: "/school-desk/declarations", name: "declared", component: () => import("@/school-desk/Declared.vue"), meta: { title: "schoolDesk.declared" } },
  { path: "/school-desk/administrators", name: "unit-admins", component: () => import("@/school-desk/UnitAdmins.vue"), meta: { title: "schoolDesk.admins" } },
  { path: "/school-desk/choosing", name: "choosing", component: () => import("@/school-desk/Choosing.vue"), meta: { title: "choosing.title" } },
  { path: "/school-desk/bills", name: "bills", component: () => import("@/school-desk/Bills.vue"), meta: { title: "bill.title" } },
  { path: "/school-desk/special-users", name: "special-users", component: () => import("@/school-desk/SpecialUsers.vue"), meta: { title: "hold.title" } },
  { path: "/school-desk/locked", name: "locked", component: () => import("@/school-desk/Locked.vue"), meta: { title: "locked.title" } },
  { path: "/school-desk/:schoolId", name: "school-desk", component: () => import("@/school-desk/SchoolDesk.vue"), props: true, meta: { title: "schoolDesk.title" } },
  { path: "/school-desk/:schoolId/reviews", name: "reviews", component: () => import("@/school-desk/Reviews.vue"), props: true, meta: { title: "schoolDesk.reviews" } },
  { path: "/region-desk", name: "region-desk", component: () => import("@/region-desk/RegionDesk.vue"), meta: { title: "regionDesk.title" } },
  { path: "/region-desk/statistics", name: "region-statistics", component: () => import("@/region-desk/Statistics.vue"), meta: { title: "statistics.title" } },
  { path: "/region-desk/schools", name: "schools", component: () => import("@/region-desk/Schools.vue"), meta: { title: "regionDesk.links.schools" } },
  { path: "/region-desk/school-changes", name: "school-changes", component: () => import("@/region-desk/SchoolChanges.vue"), meta: { title: "regionDesk.links.school-changes" } },
  { path: "/region-desk/activation", name: "activation", component: () => import("@/region-desk/Activation.vue"), meta: { title: "regionDesk.links.activation" } },
  { path: "/region-desk/transfers", name: "transfers", component: () => import("@/region-desk/Transfers.vue"), meta: { title: "regionDesk.links.transfers" } },
  { path: "/region-desk/complaints", name: "complaints", component: () => import("@/region-desk/Complaints.vue"), meta: { title: "regionDesk.links.complaints" } },
  { path: "/region-desk/jobs", name: "jobs", component: () => import("@/region-desk/Jobs.vue"), meta: { title: "regionDesk.links.jobs" } },
  { path: "/region-desk/jobs/:jobId", name: "job", component: () => import("@/region-desk/Job.vue"), props: true, meta: { title: "regionDesk.links.jobs" } },
  { path: "/me", name: "me", component: () => import("@/account/Me.vue"), meta: { title: "nav.me" } },
  { path: "/study/programmes/:programmeId", name: "programme", component: () => import("@/study/Programme.vue"), props: true, meta: { open: true, title: "study.programme" } },
  { path: "/:rest(.*)*", name: "nowhere", component: () => import("@/public/Nowhere.vue"), meta: { open: true, title: "problem.noPage" } },
];

export const router = createRouter({
  history: createWebHistory("/portal/"),
  routes,
  scrollBehavior: (_to, _from, kept) => kept ?? { top: 0 },
});

router.beforeEach((to) => {
  if (!to.meta.open && !isSignedIn()) return { name: "sign-in", query: { back: to.fullPath } };
  return true;
});

router.afterEach(async (to, from) => {
  const { t } = i18n.global;
  document.title = to.meta.title ? `${t(to.meta.title)} · ${t("app.name")}` : t("app.name");
  if (to.path === from.path || !from.name) return;
  // A new page is announced to who cannot see it, and the keyboard starts at its beginning.
  await nextTick();
  document.getElementById("main")?.focus({ preventScroll: true });
});
