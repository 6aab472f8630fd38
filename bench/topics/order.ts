/** How a member of the network is started. */
export interface Joining {
  /** Of this life, in which the key may be that of the one before. */
  readonly life: number
  readonly keyFile: string
  /** 0 when absent. */
  readonly port?: number
  /** Addresses of members. */
  readonly join: readonly string[]
}

/** A message that was published here, by the clock that the processes of a machine share. */
export interface Published {
  readonly number: number
  readonly atMs: number
}

export interface TopicFacts {
  /** Those who are alive or suspected, as far as it knows. */
  readonly present: readonly string[]
  readonly heapBytes: number
}

/** What a member's process does when it is told, and what it answers. */
export interface TopicOrders {
  /** Resolves when it is on its way into the network; from then on it publishes a message about each second. */
  open: {
    readonly order: Joining
    readonly answer: { readonly id: string; readonly url: string; readonly port: number }
  }
  /** What was published and heard since it was asked last. Of what was heard: `LIFE/NUMBER`. */
  report: {
    readonly order: object
    readonly answer: { readonly published: readonly Published[]; readonly heard: readonly string[] }
  }
  /** Publishes nothing more. */
  hush: { readonly order: object; readonly answer: object }
  /** `collect`: after forced collections. */
  facts: { readonly order: { readonly collect: boolean }; readonly answer: TopicFacts }
}

export type TopicHandlers = {
  readonly [Name in keyof TopicOrders]: (
    order: TopicOrders[Name]['order'],
  ) => Promise<TopicOrders[Name]['answer']> | TopicOrders[Name]['answer']
}
