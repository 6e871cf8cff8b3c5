import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { InvalidInputError } from "../../src/core/errors.ts";
import type { ExpertMatrix } from "../../src/engine/offload-flags/expert-parts.ts";
import { ktransformers } from "../../src/engine/offload-flags/ktransformers.ts";
import { llamaCpp } from "../../src/engine/offload-flags/llama-cpp.ts";
import type { ExpertShape } from "../../src/engine/offload-flags/offload-flags.ts";
import { splitWords } from "../../src/engine/offload-flags/words.ts";

const experts = 4;
/** Six layers, the first of them dense. */
const shape: ExpertShape = { layers: 6, moeLayers: [1, 2, 3, 4, 5], experts, matrices: 3 };

/** Layers whose experts the flags keep on the device. */
function onDevice(flags: string): number[] {
  const { chosen } = llamaCpp.read(splitWords(flags), shape);
  if (chosen.kind !== "named") throw new Error("llama.cpp names layers");
  return shape.moeLayers.filter((_, layer) => chosen.resident[layer * experts] === 1);
}

describe("llama.cpp", () => {
  test.each([
    ["-ngl 99", [1, 2, 3, 4, 5]],
    ["--cpu-moe", []],
    ["-cmoe -c 8192", []],
    // The dense layer counts.
    ["--n-cpu-moe 3", [3, 4, 5]],
    ["--n-cpu-moe=1", [1, 2, 3, 4, 5]],
    ["-ncmoe 50", []],
    ["-ot exps=CPU", []],
    ['-ot "blk\\.(2|4)\\.ffn_.*_exps\\.=CPU"', [1, 3, 5]],
    // The first pattern that matches counts, and -ot goes before --n-cpu-moe.
    ["--cpu-moe -ot blk.5.ffn_.*_exps.=CUDA0", [5]],
    ["-ot blk.5.*exps=CUDA0,exps=CPU", [5]],
    ["-ot blk.5.*exps=CUDA0 -ot exps=CPU -ngl all", [5]],
  ])("%s", (flags, expected) => {
    expect(onDevice(flags)).toEqual(expected);
  });

  test("computes prompts on the device from 32 tokens on, unless it is told not to", () => {
    expect(llamaCpp.read(["--cpu-moe"], shape).deviceFrom).toBe(32);
    expect(llamaCpp.read(["--cpu-moe", "--no-op-offload"], shape).deviceFrom).toBeNull();
  });

  test.each([
    ["--cpu-moe", "mapped"],
    ["--cpu-moe --no-mmap", "whole"],
    ["--cpu-moe --mlock", "whole"],
    ["--cpu-moe -dio", "whole"],
    ["--cpu-moe --load-mode none", "whole"],
    ["--cpu-moe --no-mmap --load-mode mmap", "mapped"],
  ])("%s: experts of the host are %s", (flags, loading) => {
    expect(llamaCpp.read(splitWords(flags), shape).loading).toBe(loading);
  });

  test("writes that all is read before it starts, if it was told so", () => {
    const split = { resident: new Uint8Array(20), hostMatrices: [], host: null, deviceFrom: 32, deferred: 0 };
    expect(llamaCpp.write({ ...split, loading: "whole" }, shape)).toEqual(["--cpu-moe", "--no-mmap"]);
    expect(llamaCpp.write({ ...split, loading: "mapped" }, shape)).toEqual(["--cpu-moe"]);
  });

  test("lists what it did not read", () => {
    expect(llamaCpp.read(splitWords("llama-server -m model.gguf -ub 512 --cpu-moe"), shape).unread).toEqual([
      "-m",
      "-ub",
    ]);
  });

  test.each([
    ["-ngl some", /a number of layers, or all/],
    ["-ngl 4 -ot attn=CPU", /all else of layer 3 is computed on devices/],
    ["-ngl 4 -ot blk.0.attn_q=CUDA0", /all else of layer 0 is computed on the host/],
    ["-ngl 4 -ot blk.1.ffn_up_exps=CUDA0", /experts of layer 1 on the host/],
    ["-ot ffn_up_exps=CPU,ffn_gate_up_exps=CUDA0", /tensors of one file/],
    ["-ot attn=CPU", /routed experts alone/],
    ["-ot shexp=CPU", /routed experts alone/],
    ["-ot blk.77.ffn_up_exps=CPU", /matches a tensor/],
    ["-ot ffn_(=CPU", /regular expression/],
    ["-ot (a+)+exps=CPU", /simple regular expression/],
    ["-ot exps", /pattern=buffer/],
    ["--n-cpu-moe", /nothing/],
    ["--load-mode fast", /fast/],
    ["--n-cpu-moe -3", /whole number/],
    ["--n-cpu-moe many", /whole number/],
  ])("refuses %s", (flags, message) => {
    expect(() => onDevice(flags)).toThrow(InvalidInputError);
    expect(() => onDevice(flags)).toThrow(message);
  });

  test("an unclosed quote is named", () => {
    expect(() => splitWords('-ot "exps=CPU')).toThrow(/a closing "/);
  });

  test.each([
    ["-ot .ffn_(up|gate)_exps.=CPU", [1, 2, 3, 4, 5], ["up", "gate"]],
    ["-ot blk\\.[2-3]\\.ffn_(up|down)_exps=CPU", [2, 3], ["up", "down"]],
    ["-ot ffn_down_exps.weight=CPU", [1, 2, 3, 4, 5], ["down"]],
    // A name without its beginning: the fused tensor ends like it, and is not meant.
    ["-ot up_exps=CPU", [1, 2, 3, 4, 5], ["up"]],
    // Files with gate and up as one tensor.
    ["-ot blk.4.ffn_gate_up_exps=CPU", [4], ["up", "gate"]],
    // The first that matches counts: all but down is on the host.
    ["-ot blk.5.ffn_down_exps=CUDA0 --cpu-moe", [5], ["up", "gate"]],
    ["-ot ffn_up_exps=CPU,blk.1.*exps=CPU", [2, 3, 4, 5], ["up"]],
  ])("%s leaves experts in two places", (flags, layers, matrices) => {
    const { chosen } = llamaCpp.read(splitWords(flags), shape);
    if (chosen.kind !== "named") throw new Error("llama.cpp names tensors");
    const expected = shape.moeLayers.map((layer) => (layers.includes(layer) ? matrices : []));
    expect(chosen.hostMatrices).toEqual(expected);
    expect(layers.some((layer) => onDevice(flags).includes(layer))).toBe(false);
  });

  test("every matrix is where the first pattern that matches its name puts it, else where other flags do", () => {
    const items = ["exps=CPU", "ffn_up_exps=CPU", "ffn_(gate|down)_exps=CPU", "exps=CUDA0", "blk.[2-4].*exps=CUDA1"];
    const more = ["blk.(1|5).ffn_down_exps=CPU", "up_exps=CUDA0", "blk.3.ffn_(up|gate)_exps=CPU"];
    const chosen = fc.uniqueArray(fc.constantFrom(...items, ...more), { maxLength: 5 });
    fc.assert(
      fc.property(chosen, fc.integer({ min: 0, max: 7 }), fc.integer({ min: 0, max: 7 }), (overrides, moe, device) => {
        const flags = overrides.flatMap((text) => ["-ot", text]);
        const words = [...flags, "--n-cpu-moe", String(moe), "-ngl", String(device)];
        const first = (tensor: string) =>
          overrides.find((text) => new RegExp(text.slice(0, text.lastIndexOf("="))).test(tensor));
        const tensors = shape.moeLayers.flatMap((layer) =>
          ["up", "gate", "down"].map((matrix) => ({ layer, found: first(`blk.${layer}.ffn_${matrix}_exps.weight`) })),
        );
        // What matches nothing first, and what is taken from the host's layers, is refused.
        fc.pre(overrides.every((text) => tensors.some(({ found }) => found === text)));
        fc.pre(
          tensors.every(({ layer, found }) => layer >= 7 - device || found === undefined || found.endsWith("CPU")),
        );
        const onHost = tensors.map(({ layer, found }) => found?.endsWith("CPU") ?? layer < Math.max(moe, 7 - device));
        const read = llamaCpp.read(words, shape).chosen;
        if (read.kind !== "named") throw new Error("llama.cpp names tensors");
        const { resident, hostMatrices } = read;
        const matrices = shape.moeLayers.flatMap((_, layer) =>
          (["up", "gate", "down"] as const).map((matrix) => {
            const parts = hostMatrices[layer]!;
            return parts.length > 0 ? parts.includes(matrix) : resident[layer * experts] === 0;
          }),
        );
        expect(matrices).toEqual(onHost);
      }),
    );
  });

  test.each([
    // The output layer is the first to go to the device, the first layer the last.
    ["-ngl 7", null],
    ["-ngl all", null],
    ["-ngl -1", null],
    ["-ngl 6", { layers: 1, head: false, allCaches: false }],
    ["--n-gpu-layers=1", { layers: 6, head: false, allCaches: false }],
    ["-ngl 0", { layers: 6, head: true, allCaches: false }],
    ["-nkvo", { layers: 0, head: false, allCaches: true }],
    ["--gpu-layers 4 --no-kv-offload", { layers: 3, head: false, allCaches: true }],
  ])("%s: the host's layers", (flags, host) => {
    expect(llamaCpp.read(splitWords(flags), shape).host).toEqual(host);
    expect(onDevice(flags)).toEqual(shape.moeLayers.filter((layer) => layer >= (host?.layers ?? 0)));
  });

  test("all matrices, by any flag, are whole experts", () => {
    const whole = llamaCpp.read(["--cpu-moe"], shape);
    for (const flags of [
      "-ot exps=CPU",
      "-ot ffn_(gate|up|down)_exps=CPU",
      "-ot ffn_(gate_up|down)_exps=CPU",
      "-ot ffn_up_exps=CPU -ot ffn_gate_exps=CPU -ot ffn_down_exps=CPU",
      "--n-cpu-moe 6",
    ])
      expect(llamaCpp.read(splitWords(flags), shape)).toEqual(whole);
    expect(llamaCpp.read(splitWords("-ot ffn_up_exps=CUDA0"), shape)).toEqual(llamaCpp.read(["-ngl", "99"], shape));
  });

  test("what it writes it reads back, for any matrices of any layers", () => {
    const side = fc.subarray<ExpertMatrix>(["up", "gate", "down"]);
    const hosts = fc.constantFrom(
      null,
      { layers: 0, head: false, allCaches: true },
      { layers: 3, head: false, allCaches: false },
      { layers: 6, head: false, allCaches: true },
      { layers: 6, head: true, allCaches: false },
    );
    const loadings = fc.constantFrom("mapped" as const, "whole" as const);
    const sides = fc.array(side, { minLength: shape.moeLayers.length, maxLength: shape.moeLayers.length });
    fc.assert(
      fc.property(sides, fc.constantFrom(null, 32), hosts, loadings, (given, deviceFrom, host, loading) => {
        // Layers of the host have their experts there.
        const onHost = given.map((side, at) =>
          shape.moeLayers[at]! < (host?.layers ?? 0) ? (["up", "gate", "down"] as const) : side,
        );
        const resident = Uint8Array.from({ length: shape.moeLayers.length * experts }, (_, key) =>
          onHost[Math.floor(key / experts)]!.length === 0 ? 1 : 0,
        );
        const hostMatrices = onHost.map((host) => (host.length === 3 ? [] : host));
        const words = llamaCpp.write({ resident, hostMatrices, host, deviceFrom, deferred: 0, loading }, shape);
        // A shell takes the words apart again.
        const typed = words.map((word) => `'${word}'`).join(" ");
        const read = llamaCpp.read(splitWords(typed), shape);
        expect(read).toEqual({
          chosen: { kind: "named", resident, hostMatrices },
          host,
          deviceFrom,
          deferred: 0,
          loading,
          unread: [],
        });
      }),
    );
  });

  test("says what it cannot be told", () => {
    const resident = new Uint8Array(5 * experts);
    resident[0] = 1;
    const split = { resident, hostMatrices: [], host: null, deviceFrom: 32, deferred: 0 };
    expect(() => llamaCpp.write(split, shape)).toThrow(/1 of 4 experts of layer 1/);
    expect(() => llamaCpp.write({ ...split, resident: new Uint8Array(20), deferred: 2 }, shape)).toThrow(
      /nothing deferred/,
    );
  });
});

describe("ktransformers", () => {
  test("reads counts, shares, thresholds and deferral", () => {
    const read = (flags: string) => ktransformers.read(splitWords(flags), shape);
    expect(read("--kt-num-gpu-experts 3 --kt-expert-placement-strategy frequency")).toMatchObject({
      chosen: { kind: "counted", perLayer: 3, strategy: "frequency" },
      deviceFrom: null,
      deferred: 0,
    });
    expect(read("--kt-gpu-experts-ratio 0.5 --kt-gpu-prefill-token-threshold 1024")).toMatchObject({
      chosen: { perLayer: 2, strategy: "uniform" },
      deviceFrom: 1024,
    });
    expect(read("--kt-num-gpu-experts=1 --kt-max-deferred-experts-per-token 2 --tp 4")).toMatchObject({
      deferred: 2,
      unread: ["--tp"],
    });
  });

  test.each([
    ["--kt-num-gpu-experts 9", /at most the 4 experts/],
    ["--kt-gpu-experts-ratio 2", /share from 0 to 1/],
    ["--kt-num-gpu-experts 1 --kt-expert-placement-strategy best", /uniform, frequency/],
    ["--kt-num-gpu-experts 1 --kt-enable-dynamic-expert-update", /threshold beside/],
    ["--tp 4", /--kt-num-gpu-experts or/],
  ])("refuses %s", (flags, message) => {
    expect(() => ktransformers.read(splitWords(flags), shape)).toThrow(message);
  });

  test("writes what is the same in every layer", () => {
    const resident = Uint8Array.from({ length: 20 }, (_, key) => (key % experts < 3 ? 1 : 0));
    const words = ktransformers.write({ resident, hostMatrices: [], host: null, deviceFrom: 512, deferred: 2 }, shape);
    expect(ktransformers.read(words, shape)).toMatchObject({
      chosen: { perLayer: 3, strategy: "frequency" },
      deviceFrom: 512,
      deferred: 2,
    });
    resident[0] = 0;
    expect(() =>
      ktransformers.write({ resident, hostMatrices: [], host: null, deviceFrom: null, deferred: 0 }, shape),
    ).toThrow(/as many experts/);
  });
});
