import type { Settings } from '../checkpoint/settings.ts';
import type { Config } from '../config/types.ts';

const SETTING = 'tail_limit';

/** Compression makes what does not compress larger by less than this. */
const SLACK_BYTES = 16 * 1024 * 1024;

/**
 * Bytes that a crash can leave uncommitted in the archive: one commit under way, and what was read meanwhile. More
 * means that the archive is ahead of the state, as with a state that was restored from an old copy.
 *
 * The largest limit that ever applied is remembered: a crash under an older configuration may have left that much.
 */
export function tailLimit(config: Config, settings: Settings): number {
  const longest = Math.max(...config.sources.map((source) => source.maxLineBytes));
  const limit = 2 * (config.commit.bytes + longest) + SLACK_BYTES;
  const ever = Math.max(limit, Number(settings.get(SETTING) ?? 0));
  settings.set(SETTING, String(ever));
  return ever;
}
