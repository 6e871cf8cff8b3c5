import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { PlanDocument } from "../../src/plan/answer/plan-document.ts";
import { smallText } from "../plan/worlds.ts";
import { scratch, spawned } from "./command.ts";

const { path, write } = scratch();
const posix = process.platform !== "win32";
const file = write("small.yaml", smallText);
const words = ["plan", file, "--devices", "2", "--objective", "speed", "-q"];
const plan = (name: string, ...more: string[]) => spawned([...words, "-o", path(name), ...more]);
const planJson = (name: string) => readFileSync(join(path(name), "plan.json"), "utf8");
const journalBytes = (name: string) =>
  statSync(join(path(name), "journal.jsonl"), { throwIfNoEntry: false })?.size ?? 0;

const quick = ["plan", file, "--devices", "2", "--set", "traffic.requests=200", "-q"];

describe("moecast plan as a process", () => {
  test("writes scenarios that moecast run takes, with the figures of the plan", async () => {
    const first = await spawned([...quick, "--threads", "1", "-o", path("plan")]);
    expect([first.code, first.err]).toEqual([0, ""]);
    const plan = JSON.parse(planJson("plan")) as PlanDocument;
    const [{ found }] = plan.objectives as [PlanDocument["objectives"][number]];
    expect(found.length).toBeGreaterThan(0);
    for (const [i, { id }] of found.entries()) {
      const run = await spawned(["run", join(path("plan"), `00${i + 1}.yaml`), "--json", "--no-advice"]);
      const { figures, devices } = plan.candidates.find((one) => one.id === id)!;
      const forecast = JSON.parse(run.out) as { deployment: { devices: number }; passed: boolean; throughput: object };
      expect([run.code, forecast.passed, forecast.deployment.devices]).toEqual([0, true, devices]);
      expect(forecast.throughput).toMatchObject({ outputTokensPerSecond: figures!["throughput"] });
    }
    const text = readFileSync(join(path("plan"), "001.yaml"), "utf8");
    expect(text).toContain("# eight devices");
    expect(text).not.toMatch(/^(?:plan|sweep|params):/m);
    expect(existsSync(join(path("plan"), "lock"))).toBe(false);
    // Resumed it runs nothing anew, and says the same; what an earlier plan wrote beyond that goes, what others wrote stays.
    const journal = readFileSync(join(path("plan"), "journal.jsonl"));
    writeFileSync(join(path("plan"), "998.yaml"), text);
    writeFileSync(join(path("plan"), "999.yaml"), "version: 1\n");
    const again = await spawned([...quick, "-o", path("plan")]);
    expect([again.code, again.out]).toEqual([0, first.out]);
    expect(JSON.parse(planJson("plan")) as PlanDocument).toEqual(plan);
    expect(readFileSync(join(path("plan"), "journal.jsonl"))).toEqual(journal);
    expect(["998.yaml", "999.yaml"].map((name) => existsSync(join(path("plan"), name)))).toEqual([false, true]);
  });

  test("has the same answer on one thread and on three", async () => {
    const one = await plan("one", "--threads", "1");
    expect([one.code, one.err]).toEqual([0, ""]);
    await plan("three", "--threads", "3");
    expect(planJson("three")).toBe(planJson("one"));
  });

  test.runIf(posix)("Ctrl-C keeps what there is and exits 130; the same call goes on to the same answer", async () => {
    await plan("whole");
    const ended = await spawned([...words, "-o", path("killed"), "--threads", "2"], {
      during: (child) => {
        const timer = setInterval(() => {
          if (journalBytes("killed") < 3000) return;
          clearInterval(timer);
          child.kill("SIGINT");
        }, 5);
        child.on("exit", () => clearInterval(timer));
      },
    });
    expect(ended.code).toBe(130);
    const part = JSON.parse(planJson("killed")) as PlanDocument;
    expect(part.interrupted).toBe(true);
    expect(part.objectives.length).toBeGreaterThan(0);
    expect(readdirSync(path("killed"))).not.toContain("lock");
    expect((await plan("killed")).code).toBe(0);
    expect(planJson("killed")).toBe(planJson("whole"));
  });

  test("nothing that meets the SLOs: exit 99, and the closest as a scenario that fails by as much", async () => {
    const ended = await plan("none", "--set", "slo.ttft=p(50)<1us");
    expect(ended.code).toBe(99);
    expect(ended.out).toContain("NO DEPLOYMENT MEETS THE SLOs");
    const run = await spawned(["run", join(path("none"), "001.yaml"), "--json", "--no-advice"]);
    expect(run.code).toBe(99);
  });
});
