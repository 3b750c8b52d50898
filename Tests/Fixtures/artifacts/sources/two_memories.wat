;; Valid since WebAssembly 3.0, not in 2.0.
(module (memory (export "memory") 1) (memory 2) (func (export "_start")))
