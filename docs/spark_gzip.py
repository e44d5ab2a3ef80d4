"""Writes rows as gzip at level 9 from Spark's executors, reads them back, and prints the cost.

    spark-submit docs/spark_gzip.py OUTPUT_DIR [ROWS]

The last line is JSON. `cpu_seconds` is the processor time of the executors' tasks that wrote,
`bytes` the size of the files, and `rows` a fingerprint of the rows that were read back: their
number, the sum of `value`, and the sum of the rows' check values. Two runs with the same ROWS
must print the same `rows`.
"""
import json
import os
import sys
import time

from pyspark.sql import SparkSession, functions

output = sys.argv[1]
rows = int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000

spark = SparkSession.builder.appName("gzip at level 9").getOrCreate()
# Hadoop's name for the level of its gzip and deflate codecs.
spark.sparkContext._jsc.hadoopConfiguration().set("zlib.compress.level", "BEST_COMPRESSION")

frame = spark.range(rows, numPartitions=4).select(
    "id",
    functions.md5(functions.col("id").cast("string")).substr(1, 8).alias("key"),
    (functions.col("id") * 7919 % 100003).alias("value"),
    functions.concat(functions.lit("customer of region "), (functions.col("id") % 97).cast("string")).alias("remark"),
)
frame.write.mode("overwrite").option("compression", "gzip").csv(output)

# The first stage, number 0, wrote the files. Spark reports its figures by a queue of events, a little
# later than the write returns.
store = spark.sparkContext._jsc.sc().statusStore()
while (stage := store.lastStageAttempt(0)).status().toString() != "COMPLETE":
    time.sleep(0.1)
seconds = stage.executorCpuTime() / 1e9

back = spark.read.csv(output, schema="id long, key string, value long, remark string")
fingerprint = back.select(
    functions.count("*"),
    functions.sum("value"),
    functions.sum(functions.crc32(functions.concat_ws("|", *back.columns))),
).first()
size = sum(os.path.getsize(os.path.join(output, name)) for name in os.listdir(output) if name.endswith(".gz"))
print(json.dumps({"cpu_seconds": round(seconds, 2), "bytes": size, "rows": list(fingerprint)}))
spark.stop()
