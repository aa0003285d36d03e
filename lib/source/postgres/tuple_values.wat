;; The values of a pgoutput tuple as those of a spool line (lib/change/spool_format.ts): the bytes between the frames are copied
;; sixteen at a time, and looked through for quotes on the way.
(module
  (memory (export "memory") 4)

  ;; Reads the tuple from $at to $end, which is to have $columns values, and writes its line from $to on. Answers where the line
  ;; ends; 0 where it is no such tuple, or has values that were not sent. Up to 15 bytes behind both are read or written.
  (func (export "spoolTuple") (param $at i32) (param $end i32) (param $columns i32) (param $to i32) (result i32)
    (local $type i32) (local $left i32) (local $step i32) (local $quotes i32) (local $bytes v128)
    (if (i32.ne (local.get $columns)
        (i32.or (i32.shl (i32.load8_u (local.get $at)) (i32.const 8)) (i32.load8_u offset=1 (local.get $at))))
      (then (return (i32.const 0))))
    (local.set $at (i32.add (local.get $at) (i32.const 2)))
    (block $done
      (loop $value
        (br_if $done (i32.eqz (local.get $columns)))
        (local.set $columns (i32.sub (local.get $columns) (i32.const 1)))
        (if (i32.ge_u (local.get $at) (local.get $end)) (then (return (i32.const 0))))
        (local.set $type (i32.load8_u (local.get $at)))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (if (i32.eq (local.get $type) (i32.const 0x74))
          (then
            (local.set $left (call $bigEndian (i32.load (local.get $at))))
            (local.set $at (i32.add (local.get $at) (i32.const 4)))
            (if (i32.or
                (i32.gt_u (local.get $at) (local.get $end))
                (i32.gt_u (local.get $left) (i32.sub (local.get $end) (local.get $at))))
              (then (return (i32.const 0))))
            (i32.store8 (local.get $to) (i32.const 1))
            (local.set $to (i32.add (local.get $to) (i32.const 1)))
            (block $copied
              (loop $stretch
                (br_if $copied (i32.eqz (local.get $left)))
                (local.set $bytes (v128.load (local.get $at)))
                (v128.store (local.get $to) (local.get $bytes))
                (local.set $step (select (local.get $left) (i32.const 16) (i32.lt_u (local.get $left) (i32.const 16))))
                (local.set $quotes (i32.and
                  (i8x16.bitmask (i8x16.eq (local.get $bytes) (i8x16.splat (i32.const 1))))
                  (i32.sub (i32.shl (i32.const 1) (local.get $step)) (i32.const 1))))
                ;; A quote is doubled, and what follows it copied in another go.
                (if (local.get $quotes)
                  (then
                    (local.set $step (i32.add (i32.ctz (local.get $quotes)) (i32.const 1)))
                    (i32.store8 (i32.add (local.get $to) (local.get $step)) (i32.const 1))
                    (local.set $to (i32.add (local.get $to) (i32.const 1)))))
                (local.set $at (i32.add (local.get $at) (local.get $step)))
                (local.set $to (i32.add (local.get $to) (local.get $step)))
                (local.set $left (i32.sub (local.get $left) (local.get $step)))
                (br $stretch)))
            (i32.store8 (local.get $to) (i32.const 1))
            (local.set $to (i32.add (local.get $to) (i32.const 1))))
          (else (if (i32.ne (local.get $type) (i32.const 0x6e)) (then (return (i32.const 0))))))
        (i32.store8 (local.get $to) (i32.const 0x2c))
        (local.set $to (i32.add (local.get $to) (i32.const 1)))
        (br $value)))
    ;; In the place of the last comma.
    (i32.store8 (i32.sub (local.get $to) (i32.const 1)) (i32.const 0x0a))
    (local.get $to))

  (func $bigEndian (param $bytes i32) (result i32)
    (i32.or
      (i32.rotl (i32.and (local.get $bytes) (i32.const 0x00ff00ff)) (i32.const 24))
      (i32.rotl (i32.and (local.get $bytes) (i32.const 0xff00ff00)) (i32.const 8)))))
