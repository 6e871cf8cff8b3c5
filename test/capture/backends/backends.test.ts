import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { backendIds, backends, chooseBackend, loadBackend } from "../../../src/capture/backends/backends.ts";
import { diagnoseBackend } from "../../../src/capture/backends/doctor.ts";
import { backendsFolder, findInstallation } from "../../../src/capture/backends/packages.ts";
import { setUpBackend } from "../../../src/capture/backends/setup.ts";
import { BackendUnavailable } from "../../../src/capture/backends/unavailable.ts";

let root: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "backends-"));
  vi.stubEnv("MOECAST_BACKENDS", root);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(root, { recursive: true });
});

/** Puts packages with this code into the folder of a backend. */
async function install(id: string, code: string, without = ""): Promise<void> {
  for (const [name, version] of Object.entries(backends[id]!.packages)) {
    if (name === without) continue;
    const folder = join(root, id, "node_modules", name);
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, "package.json"), JSON.stringify({ name, version, main: "index.cjs" }));
    await writeFile(join(folder, "index.cjs"), code);
  }
}

describe.each(["wasm", "cpu"])("%s", (id) => {
  test("multiplies matrices, and says what it is", async () => {
    const { tf, versions, hardware, close } = await loadBackend(id);
    const product = tf.matMul(tf.tensor2d([1, 2, 3, 4], [2, 2]), tf.tensor2d([5, 6, 7, 8], [2, 2]));
    expect([...(await product.data())]).toEqual([19, 22, 43, 50]);
    expect(versions).toMatchObject({ ...backends[id]!.packages, node: process.versions.node });
    expect(hardware).toBe("cpu");
    close();
  });
});

describe("packages", () => {
  test("of a backend's own folder come first, and all of them together", async () => {
    await install("wasm", "module.exports = { own: true };");
    const place = findInstallation("wasm", Object.keys(backends["wasm"]!.packages));
    expect(place.place).toBe(join(root, "wasm"));
    expect(await place.import("@tensorflow/tfjs-core")).toEqual({ own: true });
    await install("cpu", "module.exports = {};", "@tensorflow/tfjs-core");
    expect(findInstallation("cpu", Object.keys(backends["cpu"]!.packages)).place).toBe("beside moecast");
  });

  test("that are missing are named with what installs them", async () => {
    await expect(loadBackend("tensorflow")).rejects.toThrow(
      /^tensorflow: package @tensorflow\/tfjs-node-gpu is not installed; moecast capture --setup tensorflow installs it$/,
    );
  });

  test("are looked for where the platform keeps a user's data", () => {
    expect(backendsFolder({ MOECAST_BACKENDS: "/somewhere" })).toBe("/somewhere");
    expect(backendsFolder({})).toMatch(/moecast.backends$/);
  });
});

test("an unknown backend is refused with the nearest one", async () => {
  await expect(loadBackend("wsam")).rejects.toThrow(
    /tensorflow, webgpu, wasm, cpu, found "wsam" \(did you mean wasm\?\)/,
  );
});

test("auto takes what works", async () => {
  const backend = await chooseBackend("auto");
  expect(backendIds).toContain(backend.id);
  expect(backend.hardware).not.toBe("software");
  backend.close();
});

describe("the doctor", () => {
  test("names device, speed and place of a backend that works", async () => {
    const { working, problem, place } = await diagnoseBackend("wasm");
    expect(problem).toBeNull();
    expect(place).toBe("beside moecast");
    expect(working?.gigaflopsPerSecond).toBeGreaterThan(0);
    expect(working?.device).toContain("one thread of");
  });

  test.each([
    ["throws", "throw new Error('no driver\\nmore');", /no driver/],
    ["ends its process", "process.exit(7);", /its process ended with exit code 7/],
    ["kills its process", "process.kill(process.pid, 'SIGKILL');", /its process ended with signal SIGKILL/],
    ["never answers", "for (;;);", /no answer within 1 s/],
  ])("survives a backend that %s", async (_what, code, reason) => {
    await install("tensorflow", code);
    const { working, problem } = await diagnoseBackend("tensorflow", code.startsWith("for") ? 1000 : 3000);
    expect(working).toBeNull();
    expect(problem).toMatch(reason);
    expect(problem).not.toContain("\n");
  });
});

describe("the setup", () => {
  const npm = async (code: string): Promise<string[]> => {
    const file = join(root, "npm.cjs");
    await writeFile(file, code);
    return [process.execPath, file];
  };

  test("installs exact versions into a folder of the backend", async () => {
    const command = await npm("require('fs').writeFileSync('words.json', JSON.stringify(process.argv.slice(2)));");
    const said: string[] = [];
    const result = await setUpBackend("webgpu", (line) => said.push(line), root, command);
    expect(result).toEqual({ folder: join(root, "webgpu"), present: false });
    expect(said[0]).toContain("webgpu@0.6.2");
    expect(await readdir(join(root, "webgpu"))).toEqual(["package.json", "words.json"]);
  });

  test("leaves nothing when npm fails, and says what npm said", async () => {
    const command = await npm("process.stderr.write('npm error 404\\n'); process.exit(1);");
    const failed = setUpBackend("tensorflow", () => {}, root, command);
    await expect(failed).rejects.toThrow(BackendUnavailable);
    await expect(failed).rejects.toThrow(/npm error 404; .*build-tensorflow-backend/);
    expect(await readdir(root)).toEqual(["npm.cjs"]);
  });

  test("does nothing for packages that are there", async () => {
    expect(await setUpBackend("wasm", () => {}, root, ["false"])).toEqual({ folder: "beside moecast", present: true });
  });
});
