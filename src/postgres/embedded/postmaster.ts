import { spawn, type ChildProcess } from 'node:child_process';
import fs from 'node:fs';
import type net from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { codeOf, messageOf } from '../../kit/fault.ts';
import { refuseForeignEntries, writeConfiguration } from './configuration.ts';
import { dataName } from './data-directory.ts';
import { openLog, readText, tailOf } from './files.ts';
import { findFreePort } from './free-port.ts';
import { endOrphans, endProcess, isWindows, postmasterState } from './processes.ts';
import { waitForExit, type Programs } from './programs.ts';
import { serverSettings, settingArguments } from './server-settings.ts';

/** Whether the server listens on TCP: on Windows, or if DISTILOG_TCP is 1. Elsewhere it listens on a Unix socket. */
export const usesTcp = isWindows || process.env['DISTILOG_TCP'] === '1';

const pollMs = 15;
/** Longest time that leftovers of a killed postmaster may delay a start. */
const startPatienceMs = 15_000;
/** Longest time that a running server may break the first connections. Backends die before their postmaster, and a crash of one ends all. */
const usePatienceMs = 10_000;
const orphanPatienceMs = 5_000;
const startTriesMax = 5;
/** Longest wait for the backends of a dead postmaster to end. After it the next start is tried anyway. */
const emptyPatienceMs = 10_000;
const crashesMax = 20;
const crashWindowMs = 60_000;
/** Number of polls in which a postmaster may stay in state `stopping`. After them it gets SIGQUIT. */
const stuckLooksMax = 10;

export interface PostmasterOptions {
  readonly postgres: string;
  readonly data: string;
  readonly log: string;
  /** Folder of its socket, if that is not the data directory. */
  readonly run: string;
  readonly programs: Programs;
  /** Called when the server accepts connections on this port (TCP), or on its socket. */
  readonly onReady: (port: number) => Promise<void>;
  /** Called when the server no longer accepts connections and is being restarted. */
  readonly onGone: () => void;
  /** Called when the port has changed, so that clients have to ask again. */
  readonly onMoved: () => void;
  /** Called when the server cannot be kept running. */
  readonly onFailed: (error: string) => void;
}

/** Keeps one postmaster running and restarts it whenever it dies. Modes: `starting` → `ready` → (`gone` → `starting`)* → `stopped`. */
export class Postmaster {
  readonly #options: PostmasterOptions;
  #process: ChildProcess | undefined;
  #watchdog: ChildProcess | undefined;
  #port = 5432;
  #crashes: readonly number[] = [];
  #isStopping = false;
  #stuckLooks = 0;

  constructor(options: PostmasterOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    if (usesTcp) this.#port = await findFreePort();
    await this.#start(Date.now() + startPatienceMs, 1);
  }

  /** Stops the server: cleanly, or at once if `isHurried`. */
  async stop(isHurried: boolean): Promise<void> {
    this.#isStopping = true;
    if (this.#process?.pid) await endProcess(this.#process.pid, isHurried ? 0 : undefined);
    this.#watchdog?.kill('SIGKILL');
  }

  /** Ends a postmaster that hangs while stopping. Call it twice a second. PostgreSQL 18.4 may never end a fast shutdown that comes during crash recovery. */
  endIfStuck(): void {
    const isStuck = !this.#isStopping && postmasterState(this.#options.data, this.#process?.pid) === 'stopping';
    this.#stuckLooks = isStuck ? this.#stuckLooks + 1 : 0;
    if (this.#stuckLooks > stuckLooksMax) this.#process?.kill('SIGQUIT');
  }

  async #start(until: number, attempt: number): Promise<void> {
    const { data, log } = this.#options;
    const logBefore = fs.statSync(log).size;
    let child: ChildProcess;
    try {
      child = this.#spawn();
    } catch (error) {
      this.#options.onFailed(messageOf(error));
      return;
    }
    const gone = waitForExit(child);
    // Every backend inherits this pipe. It closes with the last backend, and then the data directory is free.
    const emptied = new Promise<void>((resolve) => {
      (child.stdio[3] as net.Socket)
        .on('error', () => undefined)
        .on('close', () => resolve())
        .resume();
    });
    let isUp = true;
    void gone.then(() => {
      isUp = false;
      this.#watchdog?.kill('SIGKILL');
    });
    this.#guard(child.pid as number);
    while (isUp && postmasterState(data, child.pid) !== 'ready') await sleep(pollMs);
    if (this.#isStopping) return;
    if (!isUp) {
      await this.#startAgain(until, attempt, readText(log).slice(logBefore));
      return;
    }
    void gone.then(() => this.#died(emptied));
    // Tries until the server is usable or dies. Its death is handled by #died.
    for (const useUntil = Date.now() + usePatienceMs; isUp && !this.#isStopping; await sleep(100)) {
      try {
        await this.#options.onReady(this.#port);
        return;
      } catch (error) {
        if (!isUp || this.#isStopping) return;
        if (Date.now() < useUntil && !isRefusal(error)) continue;
        this.#options.onFailed(`PostgreSQL started and could not be used: ${messageOf(error)}`);
        return;
      }
    }
  }

  #spawn(): ChildProcess {
    const { postgres, data, run, programs, log } = this.#options;
    for (const file of ['.s.PGSQL.5432', '.s.PGSQL.5432.lock']) fs.rmSync(path.join(run || data, file), { force: true });
    // Checked at each start, because a file may have been put there since the last one.
    refuseForeignEntries(data);
    writeConfiguration(data, (file) => {
      if (programs.as.uid !== undefined) fs.lchownSync(file, programs.as.uid, programs.as.gid ?? programs.as.uid);
    });
    const settings = {
      ...serverSettings,
      listen_addresses: usesTcp ? '127.0.0.1' : '',
      unix_socket_directories: usesTcp ? '' : run || dataName || data,
    };
    const files = [openLog(log), openLog(log)];
    const child = programs.start(postgres, ['-D', dataName ?? data, '-p', String(this.#port), ...settingArguments(settings)], {
      cwd: data,
      stdio: ['ignore', ...files, 'pipe'],
    });
    for (const file of files) fs.closeSync(file);
    this.#process = child;
    return child;
  }

  async #startAgain(until: number, attempt: number, said: string): Promise<void> {
    const { data, log } = this.#options;
    // Backends of a killed postmaster, or an occupied port: both are temporary.
    const isWaiting = /already exists|still in use|already in use/.test(said);
    if (isWaiting ? Date.now() > until : attempt >= startTriesMax) {
      this.#options.onFailed(`PostgreSQL did not start: ${tailOf(log)}`);
      return;
    }
    const isHalfWritten = /lock file "postmaster.pid" is empty/.test(said);
    if (isHalfWritten || (isWaiting && Date.now() > until - startPatienceMs + orphanPatienceMs)) await endOrphans(data);
    if (usesTcp && isWaiting) {
      this.#port = await findFreePort();
      this.#options.onMoved();
    }
    await sleep(100);
    // Waiting for a temporary condition does not count as a failed attempt.
    await this.#start(until, isWaiting ? attempt : attempt + 1);
  }

  async #died(emptied: Promise<void>): Promise<void> {
    this.#options.onGone();
    if (this.#isStopping) return;
    await Promise.race([emptied, sleep(emptyPatienceMs)]);
    this.#crashes = [...this.#crashes.filter((at) => at > Date.now() - crashWindowMs), Date.now()];
    if (this.#crashes.length > crashesMax) this.#options.onFailed(`PostgreSQL keeps crashing: ${tailOf(this.#options.log)}`);
    else await this.#start(Date.now() + startPatienceMs, 1);
  }

  /** Starts a shell that ends the postmaster if this process is killed, which closes the shell's pipe. (On Windows Node's job object does this.) */
  #guard(pid: number): void {
    if (isWindows || this.#isStopping || this.#process?.pid !== pid) return;
    const script = 'trap "" INT TERM HUP; read -r _; kill -INT $1; for i in 1 2 3 4 5; do sleep 1; kill -0 $1 || exit; done; kill -QUIT $1';
    this.#watchdog = spawn('/bin/sh', ['-c', script, 'distilog-watchdog', String(pid)], {
      ...this.#options.programs.as,
      cwd: '/',
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
    }).once('exit', () => this.#guard(pid));
  }
}

/** Returns whether an error is permanent: a refused login or statement is refused again. A broken connection, or one during a recovery, can be retried. */
const isRefusal = (error: unknown): boolean => /^(?:28|42)/.test(codeOf(error) ?? '');
