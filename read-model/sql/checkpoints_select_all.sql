select partition, position, fence from checkpoints order by partition
