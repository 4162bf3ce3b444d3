import { appendFileSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AuditEvents } from '../../bench/audit-events.ts';
import { Random } from '../../bench/random.ts';
import { hashLine, LINE_HASH_BYTES } from '../../test/helpers/line-multiset.ts';
import { catchUp, checkArchive, checkGaps, checkReceiver } from './aftermath.ts';
import { CrashSite } from './crash-site.ts';
import { DiskModel, type DiskModelOptions, METADATA, type Metadata } from './disk-model.ts';
import { type Expectation, expectationOf, type FileCut, gapsLeft } from './expectation.ts';
import { cutLog } from './log-cut.ts';
import { LogLedger } from './log-ledger.ts';
import { type Operation, OperationLog, readOperations } from './operation.ts';
import { readStateOfCrash } from './places.ts';
import type { Point } from './point.ts';
import { RecordedReceiver } from './recorded-receiver.ts';
import { type AgentKeys, ARCHIVE, RECEIVER, Scene } from './scene.ts';
import type { Tree } from './tree.ts';
import { recorderEnv, Workload } from './workload.ts';

/** What the writer adds when the host is up again, in an hour after all others. */
const ADDED_LINES = 2;
const ADDED_MS = Date.UTC(2024, 4, 6, 10);

export interface HostOptions {
  readonly directory: string;
  readonly keys: AgentKeys;
  /** As {@link DiskModelOptions.ignoresSync}, below the root. */
  readonly ignoresSync?: (path: string) => boolean;
}

/** A host that is recorded once, and then loses power at many points of the record. */
export class Host {
  readonly site: CrashSite;
  readonly scene: Scene;
  operations: readonly Operation[] = [];
  /** Lines that were compared until now. */
  linesChecked = 0;
  readonly #options: HostOptions;
  readonly #receiver: RecordedReceiver;
  #before: Tree | undefined;
  /** Up to where the models below have come. */
  #done = 0;
  #models = new Map<Metadata, DiskModel>();
  #ledger: LogLedger;
  #received = new Set<string>();

  private constructor(options: HostOptions, receiver: RecordedReceiver) {
    this.#options = options;
    this.#receiver = receiver;
    this.site = new CrashSite(options.directory);
    this.scene = new Scene(this.site);
    this.#ledger = new LogLedger(this.scene.log);
  }

  static async start(options: HostOptions): Promise<Host> {
    return new Host(options, await RecordedReceiver.start());
  }

  get #recordPath(): string {
    return join(this.#options.directory, 'record');
  }

  /** Records a workload. */
  async record(seed: number, events: number): Promise<void> {
    const { site, scene } = this;
    const { keys } = this.#options;
    const receiver = this.#receiver;
    const before = await Workload.run({ site, scene, receiver, record: this.#recordPath, seed, keys, events });
    const directories = [...before.directories].map(([path, inode]) => [path, String(inode)]);
    writeFileSync(join(this.#options.directory, 'before.json'), JSON.stringify(directories));
    this.load();
  }

  /** Takes the record that is in the directory. */
  load(): void {
    const text = readFileSync(join(this.#options.directory, 'before.json'), 'utf8');
    const directories = JSON.parse(text) as [string, string][];
    this.#before = { directories: new Map(directories.map(([path, id]) => [path, BigInt(id)])), files: new Map() };
    this.operations = readOperations(this.#recordPath);
    this.#rewind();
  }

  /** What programs saw when so much of the record was done. */
  currentAt(operations: number): Tree {
    this.#advance(operations);
    return this.#models.get('strict')!.current();
  }

  /** What a crash may leave when so much of the record was done. */
  afterCrashAt(operations: number, { metadata, survival }: Pick<Point, 'metadata' | 'survival'>, seed = 0): Tree {
    this.#advance(operations);
    return this.#models.get(metadata)!.afterCrash(new Random(seed), survival);
  }

  /** Loses power at a point, and lets the agent catch up. @returns what is wrong then. */
  async lose(point: Point): Promise<string[]> {
    this.#advance(point.operations);
    const random = new Random(point.seed);
    const tree = this.#models.get(point.metadata)!.afterCrash(random, point.survival);
    this.#place(tree, random);
    const cut = point.cutsLog ? this.#cutLog(tree, random) : undefined;
    const added = this.#appendLines(random);
    const expected = (sink: string): Expectation => expectationOf(sink, { ledger: this.#ledger, cut, added });
    const received = [this.#received];
    this.#receiver.forget();
    if (point.isTwice) received.push(await this.#loseAgain(point.metadata, random));
    received.push(this.#receiver.received);
    const wrong = await catchUp(this.#config, this.#env);
    if (wrong.length > 0) return wrong;
    const archived = expected(ARCHIVE);
    this.linesChecked += archived.needed.size;
    return [
      ...(await checkArchive(this.scene, archived)),
      ...checkReceiver(this.scene, expected(RECEIVER), received),
      ...checkGaps(this.scene, gapsLeft(cut)),
    ];
  }

  close(): Promise<void> {
    return this.#receiver.close();
  }

  get #config(): Record<string, unknown> {
    return this.scene.config(this.#receiver.url, this.#options.keys);
  }

  /** Starts take most of the time, and compiling the program most of that. */
  get #env(): Record<string, string> {
    return { NODE_COMPILE_CACHE: join(this.#options.directory, 'compiled') };
  }

  /** Records the agent while it catches up, and loses power somewhere in that. @returns what arrived until then. */
  async #loseAgain(metadata: Metadata, random: Random): Promise<Set<string>> {
    const record = join(this.#options.directory, 'second-record');
    rmSync(record, { force: true });
    const known = new Set(readdirSync(this.site.inodes));
    const model = this.#model(metadata, this.site.keepInodes());
    const log = new OperationLog(record);
    this.#receiver.forget(log);
    // Whether it ended well is seen when it starts again.
    await catchUp(this.#config, { ...this.#env, ...recorderEnv(this.site, record) });
    this.#receiver.forget();
    log.close();
    this.site.keepInodes();
    const operations = readOperations(record);
    const received = new Set<string>();
    for (const operation of operations.slice(0, random.below(operations.length + 1))) {
      model.apply(operation);
      noteReceived(received, operation);
    }
    this.#place(model.afterCrash(random, random.pick(['nothing', 'some', 'some'])), random);
    for (const name of readdirSync(this.site.inodes)) if (!known.has(name)) rmSync(join(this.site.inodes, name));
    return received;
  }

  /** The live file, or the newest that was rotated: what it held last may be as new. */
  #cutLog(tree: Tree, random: Random): FileCut | undefined {
    const { log, state } = this.scene;
    const backups = [...tree.files.keys()].filter(
      (path) => this.scene.isLog(path) && path !== log && !isGzipped(tree, path),
    );
    const path = random.chance(0.7) ? log : (backups.sort().at(-1) ?? log);
    const file = tree.files.get(path);
    if (file === undefined) return undefined;
    const { places, anchored, seen } = readStateOfCrash(state, this.#options.directory);
    const left = cutLog(path, anchored.get(file.inode) ?? 0, random);
    return left === undefined
      ? undefined
      : { inode: file.inode, isLive: path === log, left, places, seen: seen.get(file.inode) ?? 0 };
  }

  /** Builds the tree. SQLite's shared memory may hold anything after a crash. */
  #place(tree: Tree, random: Random): void {
    this.site.place(tree);
    const { state } = this.scene;
    if (!existsSync(join(state, 'state.sqlite')) || random.chance(0.5)) return;
    const bytes = Buffer.from(Array.from({ length: 32_768 }, () => random.below(256)));
    writeFileSync(join(state, 'state.sqlite-shm'), bytes);
  }

  /** The writer goes on, behind whatever is left. */
  #appendLines(random: Random): Buffer[] {
    const lines = [...new AuditEvents({ count: ADDED_LINES, seed: random.uint32(), startMs: ADDED_MS, spanMs: 1000 })];
    appendFileSync(this.scene.log, lines.map((line) => `${line}\n`).join(''), { mode: 0o600 });
    return lines.map(hashLine);
  }

  #rewind(): void {
    this.#done = 0;
    this.#models = new Map(METADATA.map((metadata) => [metadata, this.#model(metadata, this.#before!)]));
    this.#ledger = new LogLedger(this.scene.log);
    this.#received = new Set();
  }

  #advance(operations: number): void {
    if (operations < this.#done) this.#rewind();
    for (const operation of this.operations.slice(this.#done, operations)) {
      for (const model of this.#models.values()) model.apply(operation);
      this.#ledger.apply(operation);
      noteReceived(this.#received, operation);
    }
    this.#done = operations;
  }

  #model(metadata: Metadata, base: Tree): DiskModel {
    const { ignoresSync } = this.#options;
    const options: DiskModelOptions = { metadata, isAlwaysDurable: (path) => this.scene.isLog(path) };
    return new DiskModel(base, ignoresSync === undefined ? options : { ...options, ignoresSync });
  }
}

/** Whether it is a gzip, or there is one of it already. */
function isGzipped({ files }: Tree, path: string): boolean {
  return path.endsWith('.gz') || files.has(`${path}.gz`);
}

function noteReceived(received: Set<string>, { kind, data }: Operation): void {
  if (kind !== 'mark') return;
  for (let at = 0; at < data.length; at += LINE_HASH_BYTES) {
    received.add(data.toString('hex', at, at + LINE_HASH_BYTES));
  }
}
