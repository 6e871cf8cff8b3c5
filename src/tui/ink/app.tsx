import { TextInput } from "@inkjs/ui";
import { Box, Text, useInput } from "ink";
import { useEffect, useSyncExternalStore } from "react";
import { keyName } from "../keys/key-name.ts";
import type { Prompt } from "../state/core.ts";

/** A line that is asked for. Each has another number. */
export interface Typing {
  readonly prompt: Prompt;
  readonly number: number;
}

/** What Ink needs of the screens: the line that is being typed, and who hears of keys. */
export interface InkHost {
  readonly subscribe: (changed: () => void) => () => void;
  readonly prompt: () => Typing | null;
  /** What has been typed so far; null where no line is being typed. */
  readonly line: () => string | null;
  readonly pressed: (key: string) => void;
  readonly typed: (text: string, done: boolean) => void;
  readonly untyped: () => void;
}

/**
 * Keys, and the line that is being typed. All else of the screen is drawn beside Ink, which is slow at dense text. `onReady` hears once
 * keys go to the line that is shown.
 */
export function App({ host, onReady }: { readonly host: InkHost; readonly onReady: (typing: Typing | null) => void }) {
  const typing = useSyncExternalStore(host.subscribe, host.prompt);
  // Effects of the line itself, which begins to hear keys in one, come before this one.
  useEffect(() => onReady(typing), [onReady, typing]);
  useInput((input, key) => {
    if (typing !== null) {
      if (key.escape || (key.ctrl && input === "c")) host.untyped();
      return;
    }
    const name = keyName(input, key);
    if (name !== null) host.pressed(name);
  });
  if (typing === null) return <Text> </Text>;
  const { prompt, number } = typing;
  return (
    <Box>
      <Text> {prompt.label}</Text>
      <TextInput
        key={number}
        defaultValue={prompt.value}
        suggestions={[...prompt.suggestions]}
        onChange={(text) => host.typed(text, false)}
        onSubmit={(text) => host.typed(text, true)}
      />
    </Box>
  );
}
