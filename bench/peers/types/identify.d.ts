export declare function identify(): (components: object) => unknown
