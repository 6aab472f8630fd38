import { hash } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { encodeHex } from '../../src/base/bytes.ts'
import { PlaitError } from '../../src/base/error.ts'
import { filesType } from '../../src/drive/files-type.ts'
import { DiskIndex } from '../../src/drive/folder/disk-index.ts'
import { applyActions } from '../../src/drive/folder/apply.ts'
import type { Applied, ApplyOptions } from '../../src/drive/folder/apply.ts'
import { PathRules } from '../../src/drive/folder/path-rules.ts'
import { PlaitFolder } from '../../src/drive/folder/plait-folder.ts'
import { scanFolder } from '../../src/drive/folder/scan.ts'
import type { Scan } from '../../src/drive/folder/scan.ts'
import type { ContentDoor } from '../../src/drive/folder/staging.ts'
import { Pace } from '../../src/drive/pace.ts'
import { actionsOf } from '../../src/drive/plan/actions.ts'
import type { Actions } from '../../src/drive/plan/actions.ts'
import { changesOf } from '../../src/drive/plan/changes.ts'
import type { Changes } from '../../src/drive/plan/changes.ts'
import type { Agreed, Files, FilesOperation } from '../../src/drive/plan/item.ts'
import { layoutOf } from '../../src/drive/plan/layout.ts'
import { publication } from '../../src/drive/plan/publication.ts'
import { systemRuntime } from '../../src/runtime/system/system-runtime.ts'
import { MemoryView } from '../../src/store/memory-view.ts'
import { Site } from '../crdt/history.ts'
import type { Sent } from '../crdt/history.ts'

const { clock, timers } = systemRuntime()

/** What the sides share instead of a network. */
export class Common {
  readonly sent: Sent<FilesOperation>[] = []
  readonly contents: Map<string, Uint8Array> = new Map()
}

/** A real folder with a replica of the tree. */
export class Side {
  readonly root: string
  readonly folder: PlaitFolder
  readonly site: Site<Files, FilesOperation>
  agreement: ReadonlyMap<string, Agreed> = new Map()
  readonly #common: Common
  readonly #index: DiskIndex
  /** Called while contents are fetched. */
  onContent: (root: string) => void = () => undefined

  private constructor(common: Common, root: string, number: number, index: DiskIndex) {
    this.#common = common
    this.root = root
    this.folder = PlaitFolder.open(root, { wallMs: () => Date.now() })
    this.site = new Site(filesType, number)
    this.#index = index
  }

  static async open(common: Common, root: string, number: number): Promise<Side> {
    mkdirSync(root, { recursive: true })
    return new Side(common, root, number, await DiskIndex.open(new MemoryView()))
  }

  path(path: string): string {
    return join(this.root, path)
  }

  scan(): Promise<Scan> {
    const patternSet = (): never => {
      throw new Error('no patterns here')
    }
    return scanFolder(this.folder.root, {
      index: this.#index,
      rules: new PathRules({ patternSet }),
      pace: new Pace({ clock, timers }),
      clock,
      rootOf: async (file) => {
        const bytes = new Uint8Array(file.size)
        file.readNow(bytes, 0)
        const root = new Uint8Array(hash('sha256', bytes, 'buffer'))
        this.#common.contents.set(encodeHex(root), bytes)
        return root
      },
    })
  }

  async publish(): Promise<Changes> {
    const { value, writer } = this.site
    const disk = await this.scan()
    const layout = layoutOf(value.view)
    const changes = changesOf({ agreement: this.agreement, disk, view: value.view, layout, isMarked: true, writer })
    const steps = publication(changes, value)
    let step = steps.next()
    while (step.done !== true) {
      const sent = this.site.write(step.value)
      this.#common.sent.push(sent)
      step = steps.next(sent.dot)
    }
    this.agreement = step.value
    return changes
  }

  catchUp(): void {
    for (const sent of this.#common.sent) if (this.site.canTake(sent)) this.site.deliver(sent)
  }

  async plan(options: { readonly isReceiver?: boolean } = {}): Promise<Actions> {
    const disk = await this.scan()
    const { view } = this.site.value
    return actionsOf({ agreement: this.agreement, disk, layout: layoutOf(view), view, ...options })
  }

  async apply(
    actions: Actions,
    options: Pick<ApplyOptions, 'signal' | 'flocks'> & { readonly content?: ContentDoor } = {},
  ): Promise<Applied> {
    const agreement = new Map(this.agreement)
    const content: ContentDoor = async ({ root }, write) => {
      const bytes = this.#common.contents.get(encodeHex(root))
      if (bytes === undefined) throw new PlaitError('CORRUPT', 'nobody has it')
      this.onContent(encodeHex(root))
      for (let at = 0; at < bytes.length; at += 10_000) await write(bytes.slice(at, at + 10_000))
    }
    const applied = await applyActions(this.folder, actions.list, agreement, {
      content,
      pace: new Pace({ clock, timers }),
      ...options,
    })
    this.agreement = agreement
    return applied
  }

  /** Publishes, takes what others have published, and carries that out. */
  async synchronize(): Promise<Applied> {
    await this.publish()
    this.catchUp()
    return this.apply(await this.plan())
  }
}
