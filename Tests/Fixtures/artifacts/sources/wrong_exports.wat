;; `_start` takes a parameter, and `memory` is a function.
(module (memory 1) (func (export "_start") (param i32)) (func (export "memory")))
