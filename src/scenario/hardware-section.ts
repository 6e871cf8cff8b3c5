import { z } from "zod";
import { quantity } from "../core/quantity.ts";
import { type TierKind, tierKindNames, tierKinds } from "../hardware/tier-kinds.ts";
import { count, exactlyOne, filePath, word } from "./quantity.ts";

const tier = (what: string) =>
  z
    .strictObject({
      capacity: quantity("bytes").optional().describe(`Capacity of ${what} per node.`),
      bandwidth: quantity("bytesPerSecond").optional().describe(`Read bandwidth that ${what} reaches.`),
      latency: quantity("duration").optional().describe(`Read latency of ${what}.`),
    })
    .optional()
    .describe(`Overrides of ${what}; what is left out comes from the profile.`);

/** What the model runs on. */
export const hardwareSection = z
  .strictObject({
    system: word().optional().describe("System of the hardware profiles, such as h100-sxm-8; not together with file."),
    file: filePath().optional().describe("A system profile of your own; not together with system."),
    device: z
      .strictObject({ file: filePath().describe("A device profile of your own.") })
      .optional()
      .describe("Device in place of the system's."),
    devicesPerNode: count(1, 1024).optional().describe("Devices in one node; default from the profile."),
    deviceMemory: quantity("bytes")
      .optional()
      .describe(
        "Memory of one device that is sold in several sizes, such as a Mac; default from the profile, most of them the largest. " +
          "What the driver keeps of it changes in proportion.",
      ),
    hostLink: z
      .strictObject({
        bandwidth: quantity("bytesPerSecond")
          .optional()
          .describe("Bandwidth that large transfers reach, per direction."),
        latency: quantity("duration").optional().describe("Latency of one transfer."),
        devices: count(1, 1024)
          .optional()
          .describe("Devices that have one link in common, as behind a PCIe switch; default from the profile, else 1."),
      })
      .optional()
      .describe("Override of the link between host and device."),
    sockets: z
      .strictObject({
        count: count(1, 16).describe(
          "Processors, each with an equal part of the first memory tier; devices belong to them in blocks.",
        ),
        bandwidth: quantity("bytesPerSecond")
          .optional()
          .describe(
            "Bandwidth that reads of another one's memory reach, per direction of a pair; needed with several.",
          ),
        latency: quantity("duration", "zero")
          .default(0)
          .describe("What such a read takes longer until its first byte."),
      })
      .optional()
      .describe("Processor sockets of a node (NUMA) and the links between them (UPI, xGMI); default one."),
    host: z
      .strictObject({
        processor: word()
          .optional()
          .describe("Processor of the hardware profiles, such as ryzen-7950x; default the system's."),
        count: count(1, 16).optional().describe("Processors, one to a socket; default from the profile, else 1."),
        threads: count(1, 4096)
          .optional()
          .describe("Cores of all processors that compute experts; default all. The engine's own threads need some."),
      })
      .optional()
      .describe("Processors of the host, which can compute experts in the first memory tier."),
    tiers: z
      .strictObject(
        Object.fromEntries(tierKindNames.map((kind) => [kind, tier(tierKinds[kind].name)])) as Record<
          TierKind,
          ReturnType<typeof tier>
        >,
      )
      .optional()
      .describe("Overrides of the memory tiers behind the device."),
  })
  .superRefine(exactlyOne("system", "file"));
