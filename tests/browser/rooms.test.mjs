// Rooms: a class with a teacher and three students, two of them on telephones, through a whole lesson in both
// languages; who goes away and comes back, the teacher's key, codes that are none, and the end.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";

import { DESK, PHONE, ask, bars, choose, go, here, isWide, join, lead, openRoom, run, visit, vote } from "./rooms.mjs";
import { eventually, launch, ready, startServer, violations } from "./streamgram.mjs";

/** The lesson about a lost packet, by its place in the list, and its second choice, which the lab shows. */
const [RELIABILITY, SHOWN] = [2, 1];

let server, browser;
before(async () => {
  server = await startServer();
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

const home = () => `http://${server.http}/`;
/** The fragment of a link: others than this machine may be meant with its address. */
const at = (link) => home() + new URL(link).hash;

/** A teacher with a room. */
async function teach(options) {
  const teacher = await visit(browser, home(), { ...DESK, ...options });
  return { teacher, ...(await openRoom(teacher.page)) };
}

for (const locale of ["en-US", "zh-CN"]) {
  test(`a class predicts, runs, votes again, and everybody sees the same: ${locale}`, async () => {
    const { teacher, code, link } = await teach({ locale });
    const desk = await visit(browser, at(link), { ...DESK, locale });
    const phone = await visit(browser, at(link), { ...PHONE, locale });
    const other = await visit(browser, home(), { ...PHONE, locale });
    await join(other.page, code.toLowerCase());
    const students = [desk, phone, other];
    for (const { page } of [teacher, ...students]) await here(page, 3);
    assert.equal(new URL(desk.page.url()).hash, "");

    await lead(teacher.page, RELIABILITY);
    for (const { page } of students) await go(page);
    await ask(teacher.page, "predict");
    // Each votes for another choice.
    for (const [choice, { page }] of students.entries()) {
      await vote(page, "none");
      await choose(page, choice);
      await vote(page, "counted");
    }
    await teacher.page.locator(".room-ask-at", { hasText: /3[^\d]+3/ }).waitFor();
    for (const { page } of students) await run(page);

    await ask(teacher.page, "again");
    for (const { page } of students) {
      await vote(page, "none");
      // The first vote is not the second one.
      assert.equal(await page.locator(".lesson-choice input:checked").count(), 0);
      await choose(page, SHOWN);
      await vote(page, "counted");
      // What was predicted before the run stays what it was.
      assert.equal(await page.locator(".pooled").count(), 0);
    }
    const predicted = await desk.page.evaluate(() => JSON.parse(localStorage.getItem("streamgram.lessons"))[0].predicted);
    assert.equal(predicted, 0);
    await ask(teacher.page, "reveal");
    const texts = (shown) => shown.map((choice) => choice.map(({ when, text }) => [when, text]));
    await teacher.page.locator(".pooled .votes").waitFor();
    const expected = texts(await bars(teacher.page));
    assert.equal(expected.length, 3);
    for (const [choice, { page }] of students.entries()) {
      await page.locator(".pooled .votes").waitFor();
      const shown = await bars(page);
      assert.deepEqual(texts(shown), expected);
      const own = (when) => shown.findIndex((bars) => bars.some((bar) => bar.when === when && bar.own));
      assert.deepEqual([own("before"), own("after")], [choice, SHOWN]);
      // What came of their runs is there too, each with the own value.
      assert.ok((await page.locator(".pooled .measures > *").count()) > 0);
      assert.equal(await isWide(page), false);
    }
    // What they did not ask for was not sent.
    const names = desk.sent.map((room) => Object.keys(room)[0]);
    assert.deepEqual(new Set(names), new Set(["join", "vote", "ran"]));

    for (const { page } of [teacher, ...students]) assert.deepEqual(await violations(page), []);
    await teacher.page.locator("button.room-end").click();
    await teacher.page.locator("span.room-end .primary").click();
    for (const { page } of [teacher, ...students]) await page.locator(".room-bar-who").waitFor({ state: "detached" });
    // What it came to can be saved afterwards too.
    const saving = teacher.page.waitForEvent("download");
    await teacher.page.locator(".room-csv").click();
    const csv = await readFile(await (await saving).path(), "utf8");
    assert.equal(csv.split("\n").filter((line) => /^1,/.test(line)).length > 6, true, csv);
    for (const { page } of [desk, phone]) assert.notEqual(await page.locator(".room-bar").innerText(), "");
    for (const each of [teacher, ...students]) await each.close();
  });
}

test("who was away comes back as who it was, and its vote counts then", async () => {
  const { teacher, link } = await teach({ locale: "en-US" });
  const phone = await visit(browser, at(link), { ...PHONE, locale: "en-US" });
  await lead(teacher.page, RELIABILITY);
  await go(phone.page);
  await ask(teacher.page, "predict");
  await vote(phone.page, "none");
  await phone.goAway();
  await here(teacher.page, 0);
  await choose(phone.page, 2);
  await vote(phone.page, "kept");
  await phone.comeBack();
  await vote(phone.page, "counted");
  await teacher.page.locator(".room-ask-at", { hasText: "1 of 1" }).waitFor();

  // The class goes on while it is away; what was asked before is not asked any more.
  await phone.goAway();
  await here(teacher.page, 0);
  await lead(teacher.page, RELIABILITY + 1);
  await ask(teacher.page, "predict");
  await phone.comeBack();
  await go(phone.page);
  await phone.page.locator("[data-lesson=order]").waitFor();
  await vote(phone.page, "none");
  await choose(phone.page, 0);
  await vote(phone.page, "counted");
  const members = phone.sent.filter(({ join }) => join).map(({ join }) => join.member);
  assert.equal(members.length, 3);
  assert.equal(members[0], undefined);
  assert.equal(members[1], members[2]);

  // So does who reloads the page.
  await phone.page.reload();
  await vote(phone.page, "counted");
  assert.equal(await phone.page.locator(".lesson-choice input").first().isChecked(), true);
  assert.equal(phone.sent.at(-1).join.member, members[1]);
  await here(teacher.page, 1);
  await phone.close();
  await teacher.close();
});

test("the teacher's link leads the class, and its key is neither in the address nor on the page", async () => {
  const permissions = ["clipboard-read", "clipboard-write"];
  const { teacher, code } = await teach({ locale: "en-US", permissions });
  await teacher.page.getByRole("button", { name: "Copy the teacher’s link" }).click();
  await teacher.page.locator(".room-copies [role=status]", { hasText: "copied" }).waitFor();
  const link = await teacher.page.evaluate(() => navigator.clipboard.readText());
  const [, key] = link.match(/#room=[0-9A-Z]{9}&key=([0-9a-f]{32})$/);
  const second = await visit(browser, at(link), { ...PHONE, locale: "en-US" });
  await second.page.locator(".room-code", { hasText: code }).waitFor();
  await second.page.locator("[data-place=lesson] select").waitFor();
  await lead(second.page, 0);
  await teacher.page.locator(".room-stages").waitFor();
  for (const { page } of [teacher, second]) {
    assert.equal(new URL(page.url()).hash, "#teach");
    assert.ok(!(await page.content()).includes(key));
    assert.equal(await isWide(page), false);
    assert.deepEqual(await violations(page), []);
  }
  await second.page.goBack();
  assert.ok(!second.page.url().includes(key));
  await second.page.goto(`${home()}#teach`);
  // A reload is no reason to need the link again.
  await teacher.page.reload();
  await teacher.page.locator(".room-stages").waitFor();
  await second.close();
  await teacher.close();
});

test("a code that is none, or no room's, is told beside it; a link to nowhere too", async () => {
  const { teacher, link } = await teach({ locale: "en-US" });
  const student = await visit(browser, `${home()}#room=abc`, { ...PHONE, locale: "en-US" });
  const { page } = student;
  const error = page.locator("#room-code-error");
  await eventually(async () => assert.match(await error.innerText(), /names no room/));
  assert.equal(new URL(page.url()).hash, "#teach");
  await join(page, "K7M-4Q2");
  await eventually(async () => assert.match(await error.innerText(), /nine letters and digits/));
  assert.equal(await page.locator("#room-code").getAttribute("aria-invalid"), "true");
  assert.deepEqual(await violations(page), []);
  // A room of this server that is not there: its first two symbols say whose it is.
  const own = new URL(link).hash.slice("#room=".length, "#room=".length + 2);
  await join(page, `${own}0000000`);
  await eventually(async () => assert.match(await error.innerText(), new RegExp(`no room ${own}0-000-000`)));
  const foreign = own === "00" ? "11" : "00";
  await join(page, `${foreign}0000000`);
  await eventually(async () => assert.match(await error.innerText(), /another server/));
  assert.equal(await isWide(page), false);
  await student.close();
  await teacher.close();
});

test("who leaves is counted no more, and is led nowhere", async () => {
  const { teacher, link } = await teach({ locale: "en-US" });
  const student = await visit(browser, at(link), { ...PHONE, locale: "en-US" });
  await here(teacher.page, 1);
  await student.page.locator(".room-leave").click();
  await here(teacher.page, 0);
  await student.page.locator(".room-bar", { hasText: "You left the room" }).waitFor();
  await lead(teacher.page, RELIABILITY);
  await student.page.reload();
  await student.page.locator(".header .badge[data-status=connected]").waitFor();
  assert.equal(await student.page.locator(".room-bar").count(), 0);
  await student.close();
  await teacher.close();
});

test("a scenario and a path are taken up with a click, and nothing is sent", async () => {
  const { teacher, link } = await teach({ locale: "en-US" });
  const student = await visit(browser, at(link), { ...DESK, locale: "en-US" });
  await teacher.page.locator(".views a[href='#play']").click();
  await teacher.page.locator(".prompt-text").fill("line {n}");
  await teacher.page.locator(".link-presets button", { hasText: "Wi-Fi" }).click();
  await teacher.page.locator(".room-bar-tools a").click();
  await teacher.page.locator("[data-place=scenario] button").click();
  await go(student.page);
  assert.equal(await student.page.locator(".prompt-text").inputValue(), "line {n}");
  await student.page.locator(".link-presets [aria-pressed=true]", { hasText: "Wi-Fi" }).waitFor();
  // Who goes elsewhere is offered the way back.
  await student.page.locator(".views a[href='#plots']").click();
  await student.page.locator(".room-go").waitFor();
  await student.page.locator(".views a[href='#play']").click();
  await student.page.locator(".room-go").waitFor({ state: "detached" });

  await teacher.page.locator(".views a[href='#play']").click();
  await teacher.page.locator(".prompt-text").fill("other");
  await teacher.page.locator(".link-presets button", { hasText: "Satellite" }).click();
  await teacher.page.locator(".room-bar-tools a").click();
  await teacher.page.locator("[data-place=path] button").click();
  await go(student.page);
  await student.page.locator(".link-presets [aria-pressed=true]", { hasText: "Satellite" }).waitFor();
  assert.equal(await student.page.locator(".prompt-text").inputValue(), "line {n}");
  assert.equal(await student.page.locator(".run").count(), 0);
  assert.deepEqual(student.sent.map((room) => Object.keys(room)[0]), ["join"]);
  // A run of one's own is told: what came of it, and no bytes.
  await ready(student.page);
  await student.page.locator(".prompt-text").press("Enter");
  await teacher.page.locator(".room-ask", { hasText: "no question" }).waitFor();
  await eventually(() => assert.ok(student.sent.at(-1).ran));
  assert.ok(Object.keys(student.sent.at(-1).ran.outcome).every((name) => /^(tcp|udp)_/.test(name)));
  await student.close();
  await teacher.close();
});

test("the projector is there for the wall, and Escape leaves it", async () => {
  const { teacher } = await teach({ locale: "en-US" });
  await lead(teacher.page, RELIABILITY);
  await teacher.page.getByRole("button", { name: "Projector" }).click();
  await teacher.page.locator(".projector").waitFor();
  await teacher.page.locator(".projector [data-stage=predict]").click();
  await teacher.page.locator(".projector [data-stage=predict][aria-pressed=true]").waitFor();
  assert.deepEqual(await violations(teacher.page), []);
  await teacher.page.keyboard.press("Escape");
  await teacher.page.locator(".projector").waitFor({ state: "detached" });
  await teacher.close();
});
