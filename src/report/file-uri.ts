/** Where a file is, as SARIF says it: relative names from the root of the sources. */
export interface ArtifactLocation {
  readonly uri: string;
  readonly uriBaseId?: "%SRCROOT%";
}

/** `a b/c.yaml` as `a%20b/c.yaml` below the root of the sources; an absolute path as a `file:` URI. Backslashes are those of Windows. */
export function fileUri(path: string): ArtifactLocation {
  const [, drive, rest = ""] = /^([A-Za-z]:(?=\/))?(.*)$/s.exec(whole(path).replaceAll("\\", "/")) ?? [];
  const steps = rest.split("/").map(encodeURIComponent);
  if (drive !== undefined) return { uri: `file:///${drive}/${steps.filter(Boolean).join("/")}` };
  if (rest.startsWith("/")) return { uri: `file://${steps.join("/")}` };
  return { uri: withoutDots(steps).join("/"), uriBaseId: "%SRCROOT%" };
}

/** Steps of a relative path without `.` and empty ones: the same file has the same name in every run. */
function withoutDots(steps: readonly string[]): readonly string[] {
  const kept: string[] = [];
  for (const step of steps) {
    if (step === "." || step === "") continue;
    if (step === ".." && kept.length > 0 && kept.at(-1) !== "..") kept.pop();
    else kept.push(step);
  }
  return kept.length === 0 ? ["."] : kept;
}

/** Half surrogates have no encoding. */
const whole = (path: string): string => path.replace(/\p{Cs}/gu, "\ufffd");
